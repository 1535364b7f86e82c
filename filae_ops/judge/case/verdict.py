"""What the judge says: one verdict for each requirement, each with its findings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from filae_ops.register.model import Requirement, Severity

Status = Literal["non_compliant", "gap", "to_document", "to_confirm", "legal_question", "compliant", "not_applicable"]
"""Worst first."""
Outcome = Literal["holds", "contrary", "expired", "missing", "unsure", "unmeasured"]
"""`contrary`: a value that does not do; `expired`: a date that has passed; `missing`: nothing is declared;
`unsure`: only a person can confirm; `unmeasured`: `verify` measures it on the machine."""
Immunity = Literal["not_applicable", "immune", "not_immune", "not_established"]

STATUSES: tuple[Status, ...] = (
    "non_compliant", "gap", "to_document", "to_confirm", "legal_question", "compliant", "not_applicable",
)  # fmt: skip
OPEN: tuple[Status, ...] = ("non_compliant", "gap", "to_document", "to_confirm")
RANKS: Mapping[Severity, int] = {
    "block": 3, "claim_invalid": 3, "ask_legal": 3, "major": 2, "warn": 1, "verdict_not_immune": 1, "info": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One piece of evidence, or one condition, against what is declared."""

    outcome: Outcome
    code: str
    """Name of the sentence that says it, in the reader's language."""
    field: str = ""
    """Field of the inventory, as `hosting.certificates.hds.to`; empty when none is concerned."""
    value: Any = None
    """What is declared, as JSON."""
    expected: Any = None
    """What would do, as JSON."""
    words: Mapping[str, Any] | None = None
    """What else the sentence names."""


@dataclass(frozen=True)
class Verdict:
    """What is known about one requirement on one day."""

    requirement: Requirement
    status: Status
    findings: tuple[Finding, ...]
    from_memory: bool = False
    """The rule itself was not read: it would be compliant, it is to confirm."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the fields that nothing is declared for."""
        return tuple(each.field for each in self.findings if each.outcome == "missing")

    def at_least(self, severity: Severity) -> bool:
        """Tell whether this stops a review that fails on `severity`; what only `verify` can measure does not."""
        rank = RANKS[self.requirement.severity]
        if self.status == "legal_question":
            return True
        return self.status in OPEN and rank >= RANKS[severity] and not self.to_measure

    @property
    def to_measure(self) -> bool:
        """Tell whether a measure on the machine is all that is wanted."""
        outcomes = {each.outcome for each in self.findings}
        return self.status == "to_confirm" and not self.from_memory and outcomes <= {"holds", "unmeasured"}


@dataclass(frozen=True)
class EvidenceFile:
    """A file that the inventory refers to, read once."""

    path: str
    """Inside the inventory, as it is declared."""
    sha256: str = ""
    size: int = 0
    """Bytes."""
    problem: Literal["", "absent", "empty", "outside", "not_a_file", "inventory", "too_large"] = ""


@dataclass(frozen=True)
class Row:
    """One duty: who is accountable (A), does (R), is consulted (C), is informed (I)."""

    id: str
    fr: str
    en: str
    source: str
    """Title of the source and the place in it."""
    expected: Mapping[str, str] | None
    """Letters by party, as the model says; None: to be agreed."""
    declared: Mapping[str, str] | None
    """Letters by party, where the inventory says otherwise."""
    activity5: bool = False

    @property
    def letters(self) -> Mapping[str, str] | None:
        """Return what holds on this site; None: to be agreed."""
        return self.declared if self.declared is not None else self.expected

    @property
    def deviates(self) -> bool:
        """Tell whether the site departs from its model; where the model says nothing, it is agreed instead."""
        return None not in (self.declared, self.expected) and self.declared != self.expected


@dataclass(frozen=True)
class ImmunityVerdict:
    """What the decision table concludes on extra-European law, and at which step."""

    result: Immunity
    step: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Judgement:
    """Everything that is concluded from one inventory on one day."""

    as_of: dt.date
    verdicts: tuple[Verdict, ...]
    """In the register's order."""
    immunity: ImmunityVerdict
    raci: tuple[Row, ...]
    evidence: Mapping[str, EvidenceFile]
    """By declared path."""

    @property
    def worst(self) -> Status:
        """Return the worst status of all."""
        return min((each.status for each in self.verdicts), key=STATUSES.index, default="not_applicable")

    def stopped_by(self, severity: Severity) -> tuple[Verdict, ...]:
        """Return the verdicts that stop a review which fails on `severity`."""
        return tuple(each for each in self.verdicts if each.at_least(severity))
