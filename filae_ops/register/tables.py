"""What the register holds besides requirements: themes, names of fields, duties, steps of immunity, ends of support."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from filae_ops.register.model import Country, Entry, Source, Words
from filae_ops.vocabulary import HostingModel, Party

Support = Literal["standard", "extended", "subscription", "ended"]
Letters = Literal["A", "R", "RA", "C", "I"]
"""A is accountable, R does, C is consulted, I is informed."""


class Theme(Entry):
    """One chapter of the register, and of a review."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*$")
    """First part of the ids of its requirements."""
    fr: Words
    en: Words


class FieldName(Entry):
    """How a field of the inventory is called in a sentence."""

    name: Words
    """The field, as requirements write it."""
    fr: Words
    en: Words


class Countries(Entry):
    """A group of countries."""

    id: Literal["EU", "EEA"]
    members: tuple[Country, ...] = Field(min_length=1)
    """ISO 3166-1 codes of two letters."""


class Duty(Entry):
    """One row of the responsibility matrix."""

    id: str = Field(pattern=r"^D-[A-Z0-9-]+$")
    """Stable name, such as D-POWER."""
    fr: Words
    en: Words
    source: Source
    """Where the duty was read; the file gives the source's id."""
    locator: Words | None = None
    """Place in the source."""
    note: Words | None = None
    """What a reader must know besides, in French."""
    activity5: bool = False
    """One of the four control tasks: who does part of it needs a certificate for activity 5."""
    models: Mapping[HostingModel, Mapping[Party, Letters]]
    """Who does what, by hosting model; a model that is absent is to be agreed."""

    @property
    def cited(self) -> str:
        """Return the source as a reader looks it up: title and place."""
        return f"{self.source.title} — {self.locator}" if self.locator else self.source.title


class ImmunityStep(Entry):
    """One question of the decision table on extra-European law; the first yes decides."""

    step: int
    question_fr: Words
    question_en: Words
    result: Literal["not_applicable", "immune", "not_immune", "not_established"]
    """What a yes concludes; the last step has no question left and concludes for all others."""
    expired: Literal["not_established"] | None = None
    """What a qualification that has ended concludes."""
    requirement: str
    """Requirement that says so."""
    locator: Words | None = None
    """Place in the source."""
    individual_pct: float | None = None
    """Largest share of one entity from outside the European Union, in per cent."""
    collective_pct: float | None = None
    """Largest share of all of them, in per cent."""
    note: Words | None = None


class Extension(Entry):
    """Support after the standard one."""

    name: Words
    """Name of the programme."""
    until: dt.date
    """Last day."""
    subscription: bool
    """It must be bought: an inventory has to prove it."""


class Lifecycle(Entry):
    """Until when one version of a product is maintained."""

    product: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Product, such as debian."""
    version: str = Field(pattern=r"^[0-9]+(\.[0-9]+)*$")
    """Version, as its vendor numbers it."""
    released: dt.date | None = None
    """First day."""
    standard_until: dt.date
    """Last day of standard security support."""
    extended: tuple[Extension, ...] = ()
    """What follows."""
    sources: tuple[Source, ...] = Field(min_length=1)
    """Where the dates were read; the file gives ids."""
    note: str | None = None
    """Where the sources disagree."""

    @property
    def free_until(self) -> dt.date:
        """Return the last day of support that needs no subscription."""
        return max([self.standard_until, *(each.until for each in self.extended if not each.subscription)])

    def support(self, day: dt.date) -> Support:
        """Return the support that a machine has on `day`; `extended` is a gap, `ended` is refused."""
        if day <= self.standard_until:
            return "standard"
        if day <= self.free_until:
            return "extended"
        bought = any(each.subscription and day <= each.until for each in self.extended)
        return "subscription" if bought else "ended"


class Shipped(Entry):
    """Versions of what the application runs on, as a distribution ships them."""

    system: str = Field(pattern=r"^[a-z]+$")
    """Distribution, such as debian."""
    version: str = Field(pattern=r"^[0-9]+(\.[0-9]+)*$")
    products: Mapping[str, str]
    """Version by product, as the calendars name them."""
    source: Source
    """Where it was read; the file gives the source's id."""
