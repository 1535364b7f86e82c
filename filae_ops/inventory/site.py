"""Which site this is, who answers for it, where it is hosted."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from filae_ops.inventory.fields import Email, Environment, HostingModel, Slug, Strict, Text, refuse

_LOCALE = re.compile(r"(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_PHONE = re.compile(r"\+?[0-9][0-9 .()-]{4,24}")
_NAMED_HOST = ("hds_host", "third_party")


def _timezone(value: str) -> str:
    known = available_timezones()
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        if known or not re.fullmatch(r"[A-Za-z_]+(/[A-Za-z_+-]+)*", value):
            refuse(
                f"{value!r} is not a time zone", next_step="write one such as Europe/Paris or Indian/Reunion"
            )
    return value


def _locale(value: str) -> str:
    if not _LOCALE.fullmatch(value):
        refuse(f"{value!r} is not a UTF-8 locale", next_step="write one such as fr_FR.UTF-8")
    return value


def _clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        refuse(f"{value!r} is not a time of day", next_step='write it in quotes, as "22:00"')
    return value


def _phone(value: str) -> str:
    if not _PHONE.fullmatch(value):
        refuse(f"{value!r} is not a telephone number", next_step='write it in quotes, as "+33 1 99 00 12 34"')
    return value


class Contact(Strict):
    """Someone to reach."""

    name: Text
    """Person or team."""
    email: Email
    """E-mail address, for alarms and reports."""
    phone: Annotated[str, AfterValidator(_phone)] | None = None
    """Telephone, for what cannot wait."""


class Contacts(Strict):
    """Both parties' contacts."""

    dsi: Contact
    """The hospital's IT department."""
    provider: Contact
    """The software provider."""


class MaintenanceWindow(Strict):
    """When the service may be interrupted."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(min_length=1)
    """Days of the week."""
    start: Annotated[str, AfterValidator(_clock)]
    """Start, in the site's time zone."""
    minutes: int = Field(ge=10, le=1440)
    """Length, in minutes."""


class Site(Strict):
    """The site and its environment."""

    name: Slug
    """Short name of the site and environment."""
    establishment: Text
    """Name of the hospital."""
    environment: Environment
    """`production` is held to all the rules."""
    timezone: Annotated[str, AfterValidator(_timezone)]
    """Time zone of the machine."""
    locale: Annotated[str, AfterValidator(_locale)]
    """Locale of the machine."""
    contacts: Contacts
    """Who to reach on each side."""
    maintenance_window: MaintenanceWindow | None = None
    """When the service may be interrupted; left out: never planned."""


class Hosting(Strict):
    """Where the data live."""

    model: HostingModel
    """Hosting model: decides what the law asks."""
    host_id: Slug | None = None
    """The host, for a certified host or another third party; left out: to document."""
    service_id: Slug | None = None
    """The exact service of the host; left out: to document."""
    region: Text | None = None
    """Region or site of the service; left out: to document."""

    @model_validator(mode="after")
    def _only_a_third_party_is_named(self) -> Self:
        for key in ("host_id", "service_id", "region"):
            value = getattr(self, key)
            if self.model not in _NAMED_HOST and value is not None:
                refuse(
                    f"`{key}: {value}` has no meaning with model {self.model}",
                    next_step=f"remove `{key}`, or choose another model",
                    owner="dsi",
                    at=(key,),
                )
        return self
