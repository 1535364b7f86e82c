"""Which site this is, and who answers for it."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field

from filae_ops.inventory.types.fields import Email, Slug, Strict, Text, refuse
from filae_ops.vocabulary import Environment

_LOCALE = re.compile(r"(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_PHONE = re.compile(r"\+?[0-9][0-9 .()-]{4,24}")


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        if available_timezones() or not re.fullmatch(r"[A-Za-z_]+(/[A-Za-z_+-]+)*", value):
            refuse(f"{value!r} is not a time zone", next_step="write one such as Europe/Paris or Indian/Reunion")
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
