"""Hosts and their services: what is known of their certificates and qualifications, and how well."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import ConfigDict, Field

from filae_ops.register.model import Confidence, Country, Entry, PartialDate, Source, Url, Words

Activity = Literal["physical_site", "hardware", "virtual_infra", "app_platform", "administration", "backup"]
"""The six activities of article R.1111-9, by label: their numbers have changed."""
Known = Confidence | Literal["analysis"]
"""`analysis` is reasoning of ours: no text says it."""
Immune = Literal["immune_if_service_qualified", "not_immune", "not_established", "not_applicable", "to_evaluate"]


class Dated(Entry):
    """Something with a first and a last day."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)
    start: PartialDate | None = Field(None, alias="from")
    """First day, or its month."""
    to: dt.date | None = None
    """Last day; null: not known."""
    confidence: Known
    """How it is known."""
    note: Words | None = None
    """What a reader must know besides, in French."""


class Hds(Dated):
    """What is known of a host's certificate for health data."""

    status: Literal[
        "not_required", "exempt_if_three_conditions", "certified", "certified_2021", "claimed", "to_confirm",
        "not_relevant", "to_check",
    ]  # fmt: skip
    referential: int | None = None
    """2 since 2024; null: not known."""
    certificate: Words | None = None
    """Number of the certificate."""
    activities: tuple[Activity, ...] = ()
    """Activities that it covers; none: not known."""
    url: Url | None = None
    """Where it was read."""
    source_date: PartialDate | None = None
    """Date of that page."""


class SecNumCloud(Dated):
    """What is known of one service's qualification by ANSSI."""

    status: Literal["qualified", "not_qualified", "in_progress", "not_applicable", "to_evaluate"]
    service: Words | None = None
    """Name of the service in the catalogue."""
    version: str | None = Field(None, pattern=r"^[0-9]\.[0-9]$")
    """Version of the referential; null: to confirm, the note says why."""
    decision: str | None = Field(None, pattern=r"^[0-9]+$")
    """Number of the decision; null: not known."""
    milestones: tuple[Words, ...] = ()
    """Steps of a qualification in progress, in French."""
    last_seen: PartialDate | None = None
    """Day on which its progress was last read."""
    source: Source | None = None
    """Where it was read; the file gives the source's id."""


class Service(Entry):
    """One service that a host sells: qualifications hold for a service, never for a company."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    """Stable name; no two hosts share one."""
    name: Words | None = None
    """Name of the service."""
    kind: Words
    """IaaS, PaaS, SaaS, or several of them."""
    region: Words | None = None
    """Region that the qualification names."""
    fit_for_vm: bool = True
    """A virtual machine can be had there."""
    runs_on: str | None = None
    """Service of another host that this one stands on."""
    secnumcloud: SecNumCloud
    """Its qualification."""


class Immunity(Entry):
    """What to expect of a host on extra-European law; the decision table judges each service."""

    verdict: Immune
    why: Words
    """In French."""
    confidence: Known


class Case(Entry):
    """A fact that a reader must know, in French."""

    fact: Words
    confidence: Known
    source: Source | None = None
    """The file gives the source's id."""


class Host(Entry):
    """One host, or one way to do without."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    """Stable name, as `hosting.host_id` says it."""
    kind: Literal["company", "pseudo"] = "company"
    """A pseudo host stands for the hospital, a hospital of its group, or a host that is not in the list."""
    name: Words
    legal_name: Words | None = None
    """Registered name; null: to fill in."""
    hq_country: Country | None
    """Country of the registered office."""
    parent: Words | None = None
    """Company at the head of the group; null: none, or not known."""
    parent_country: Country | None = None
    """Its country; null: not known."""
    identity_confidence: Known
    """How the names and countries above are known."""
    immunity: Immunity
    hds: Hds
    since_2021: Words | None = None
    """What the press said of it in 2021, in French."""
    cases: tuple[Case, ...] = ()
    services: tuple[Service, ...] = Field(min_length=1)
