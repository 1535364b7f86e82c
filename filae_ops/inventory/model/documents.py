"""What was signed or written, and the file that shows it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from filae_ops.inventory.types.fields import RelativePath, Strict, Text, duplicates, refuse

_FIRST, _LAST = dt.date(1990, 1, 1), dt.date(2100, 12, 31)
M = TypeVar("M", bound=Strict)


def _day(value: dt.date) -> dt.date:
    if not _FIRST <= value <= _LAST:
        refuse(f"{value} is not a plausible date", next_step="correct the year")
    return value


Day = Annotated[dt.date, AfterValidator(_day)]
Percent = Annotated[int | float, Field(ge=0, le=100), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100})]
Cvss = Annotated[int | float, Field(ge=0, le=10), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 10})]

HostingClause = Literal[
    "perimeter", "services", "rights", "incident_contact", "sla", "subprocessors", "access", "changes", "failure",
    "no_other_use", "restitution", "destruction", "extra_eu", "audit", "responsibilities", "qualified_service",
    "no_penalty_exit", "backup", "eu_law", "erasure_notice",
]  # fmt: skip
MaintenanceClause = Literal[
    "provider_scope", "dsi_scope", "pas", "convention", "security_contact", "incident_notice", "audit",
    "confidentiality", "art28", "subcontractors", "patch_delays", "remote_rules", "reversibility", "restitution",
    "destruction", "test_data", "deputies",
]  # fmt: skip


def in_order(start: dt.date | None, end: dt.date | None, *, name: str = "to") -> None:
    """Refuse an end that is before its start."""
    if start and end and end < start:
        refuse(f"`{name}` ({end}) is before `from` ({start})", next_step="correct one of the two dates", at=(name,))


class Document(Strict):
    """A written document and its date."""

    file: RelativePath
    """Path of the file inside the inventory, such as evidence/aipd.pdf."""
    date: Day | None = None
    """Date of the document."""


class HostingContract(Strict):
    """The contract or agreement with the host."""

    file: RelativePath
    """Path of the file inside the inventory."""
    date: Day | None = None
    """Date of signature."""
    clauses: tuple[HostingClause, ...] | None = None
    """Clauses that the contract holds."""

    @model_validator(mode="after")
    def _clauses_once(self) -> Self:
        return once(self, self.clauses)


class MaintenanceContract(Strict):
    """The contract of maintenance of the software."""

    file: RelativePath
    """Path of the file inside the inventory."""
    date: Day | None = None
    """Date of signature."""
    start: Day | None = Field(default=None, alias="from")
    """First day of the contract."""
    to: Day | None = None
    """Last day of the contract."""
    clauses: tuple[MaintenanceClause, ...] | None = None
    """Clauses that the contract holds."""

    @model_validator(mode="after")
    def _dates_and_clauses(self) -> Self:
        in_order(self.start, self.to)
        return once(self, self.clauses)


class Contracts(Strict):
    """What binds the parties."""

    hosting: HostingContract | None = None
    """Contract or agreement of hosting; null: there is none."""
    maintenance: MaintenanceContract | None = None
    """Contract of maintenance; null: there is none."""


class Acceptance(Strict):
    """The minutes of an acceptance."""

    kind: Literal["va", "vsr"]
    """`va`: fitness (vérification d'aptitude); `vsr`: regular service."""
    date: Day
    """Date of the minutes."""
    signed_by: Text | None = None
    """Who signed for the hospital."""
    reservations: Text | None = None
    """Reservations that remain; null: none."""
    file: RelativePath | None = None
    """Path of the minutes inside the inventory."""


class SecurityAudit(Strict):
    """The last external audit."""

    kind: Text
    """Kind of audit, such as pentest or configuration audit."""
    date: Day | None = None
    """Date of the report."""
    max_cvss: Cvss | None = None
    """Highest CVSS score of what remains open; 0 when nothing does."""
    file: RelativePath | None = None
    """Path of the report inside the inventory."""


class Documents(Strict):
    """The documents of the project."""

    art28: Document | None = None
    """Processor contract (GDPR art. 28)."""
    register_entry: Document | None = None
    """Entry of the register of processing."""
    aipd: Document | None = None
    """Data protection impact assessment."""
    risk_analysis: Document | None = None
    """Risk analysis, or security approval (homologation)."""
    dat: Document | None = None
    """Architecture document (DAT)."""
    dex: Document | None = None
    """Operations document (DEX)."""
    raci: Document | None = None
    """Responsibility matrix, signed."""
    reversibility_plan: Document | None = None
    """Plan for leaving: restitution and destruction of the data."""
    software_map: Document | None = None
    """List of software and versions (SBOM)."""
    backup_plan: Document | None = None
    """Plan of backup and restoration."""
    crisis_sheet: Document | None = None
    """Crisis sheet and printed directory."""
    acceptance: tuple[Acceptance, ...] | None = None
    """Minutes of acceptance."""
    security_audit: SecurityAudit | None = None
    """Last external audit or penetration test; null: none was made."""


def once(model: M, labels: tuple[str, ...] | None, *, at: str = "clauses") -> M:
    """Refuse a label listed twice; return the model."""
    if twice := duplicates(labels or ()):
        refuse(f"{twice[0]!r} is listed twice", next_step="keep it once", at=(at,))
    return model
