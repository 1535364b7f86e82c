"""Requirements: what each party is held to, where that was read, and what proves it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from filae_ops.errors import Owner

Severity = Literal["block", "major", "warn", "info", "ask_legal", "claim_invalid", "verdict_not_immune"]
Confidence = Literal["seen-official", "seen-transcription", "seen-secondary", "from-memory"]
Binding = Literal[
    "law", "regulation", "referential", "state_doctrine", "guide", "market_clause", "functional", "programme"
]
Op = Literal[
    "exists", "eq", "in", "subset_of", "not_subset_of", "gte", "lte", "between", "after", "within_days", "not_empty",
    "contains", "contains_all", "lte_field", "rpo_covers", "eq_or_certified", "covers", "hds_covers", "in_catalogue",
    "supported_at", "supported_for_days", "has_outbound", "outbound_described", "no_inbound_port", "certificate_days",
    "all_rows_owned", "confirm", "claimed",
]  # fmt: skip
"""What a field of the inventory is held to; each is one function of the judge.

`confirm`: nothing can be computed, a person looks. `claimed`: nobody has to claim it, so that a field which is
missing or null makes the requirement not applicable, where `exists` would ask for it.
"""


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError("empty")
    return value


Words = Annotated[str, AfterValidator(_filled)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
PartialDate = Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")]
"""A year, a month or a day."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...] | None


class Entry(BaseModel):
    """What a data file says: nothing unknown, nothing converted, nothing changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(Entry):
    """Where a rule or a date was read."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9-]*$")
    """Stable name, such as HDS-V2."""
    title: Words
    """Title, as the text has it."""
    url: Url
    """Where the text is."""
    date: PartialDate | None
    """Date of the text; null when it bears none."""
    confidence: Confidence
    """How the text is known."""


class Condition(Entry):
    """What a field of the inventory must say for a requirement to apply."""

    field: Words
    """Field of the inventory, as `hosting.model`; `machines[].os.id` stands for one per machine."""
    op: Op
    """How it is compared."""
    value: Value = True
    """With what."""


class Evidence(Condition):
    """What a field of the inventory must say for a requirement to hold."""

    proof_fr: Words
    """What a reviewer asks to see, in French."""
    proof_en: Words
    """What a reviewer asks to see, in English."""
    unless: Words | None = None
    """Field whose document may excuse a value that does not do: a person then confirms."""


class Applies(Entry):
    """When a requirement applies: all its conditions together."""

    text_fr: Words
    """In words, in French."""
    text_en: Words
    """In words, in English."""
    when: tuple[Condition, ...] = ()
    """None: always."""


class Requirement(Entry):
    """One duty or rule."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]*-[0-9]{2}$")
    """Stable name, such as NET-04; what stands before the dash is its theme."""
    title_fr: Words
    """Title, in French."""
    title_en: Words
    """Title, in English."""
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
    source: Source
    """Where it was read; the file gives the source's id."""
    locator: Words | None = None
    """Place in the source."""
    source_date: PartialDate | None
    """Date of the text; left out of the file: the source's."""
    confidence: Confidence
    """How the rule is known; from-memory: nobody read it, a verdict is to confirm."""
    note: Words | None = None
    """What a reader must know besides, in French."""
    effective_from: dt.date | None = None
    """First day in force, where it lies apart from the text's date."""
    applies: Applies
    """When it applies."""
    declared: tuple[Evidence, ...] = ()
    """What the inventory must say; none: only the machine can tell."""
    observed_fr: Words | None = None
    """What `verify` measures on the machine, in French."""
    observed_en: Words | None = None
    """What `verify` measures on the machine, in English."""

    @property
    def theme(self) -> str:
        """Return the first part of the id."""
        return self.id.rpartition("-")[0]

    @property
    def cited(self) -> str:
        """Return the source as a reader looks it up: title and place."""
        return f"{self.source.title} — {self.locator}" if self.locator else self.source.title

    @property
    def dated(self) -> str:
        """Return the date of the text, as YYYY[-MM[-DD]]; empty when it bears none."""
        return self.source_date or ""
