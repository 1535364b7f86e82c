"""What the register holds: requirements and ends of support."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from filae_ops.errors import Owner

Severity = Literal["block", "major", "warn", "info", "ask_legal", "claim_invalid", "verdict_not_immune"]
Confidence = Literal["seen-official", "seen-transcription", "seen-secondary", "from-memory"]
Binding = Literal[
    "law", "regulation", "referential", "state_doctrine", "guide", "market_clause", "functional", "programme"
]
Support = Literal["standard", "extended", "subscription", "ended"]


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("empty")
    return value


Words = Annotated[str, AfterValidator(_filled)]
SourceUrl = Annotated[str, Field(pattern=r"^https://[^\s]+$")]


class Entry(BaseModel):
    """What a data file says: nothing unknown, nothing converted, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Requirement(Entry):
    """One duty or rule."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*-[0-9]{2}$")
    """Stable name, such as NET-04."""
    theme: str = Field(pattern=r"^[A-Z][A-Z0-9]*$")
    """First part of the id."""
    title: Words
    """Title, in French."""
    owner: Owner
    """Who answers for it."""
    severity: Severity
    """What a failure means."""
    binding: Binding
    """What kind of text it comes from."""
    statement_fr: Words
    """The rule, in French."""
    statement_en: Words
    """The rule, in English."""
    source: Words
    """Text, with the place in it."""
    source_url: SourceUrl
    """Where the text is."""
    source_date: str = Field(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")
    """Date of the text: a year, a month or a day."""
    confidence: Confidence
    """How the text is known: anything but seen-official and seen-transcription is to confirm."""
    note: str | None = None
    """What a reader must know besides."""

    @model_validator(mode="after")
    def _theme_is_in_the_id(self) -> Self:
        if not self.id.startswith(f"{self.theme}-"):
            raise ValueError(f"the theme {self.theme!r} is not the first part of the id {self.id!r}")
        return self


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
    sources: tuple[str, ...] = Field(min_length=1)
    """Names of sources of the same file."""
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


class DataSource(Entry):
    """Where ends of support were read."""

    title: Words
    url: SourceUrl
    date: dt.date
    confidence: Confidence
