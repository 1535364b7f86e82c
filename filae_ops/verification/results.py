"""What one host check says of a machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from filae_ops.errors import Owner
from filae_ops.report.document.check_words import Values, Wording, check_of, wording

if TYPE_CHECKING:
    from filae_ops.language import Lang

Status = Literal["pass", "fail", "not_run"]


@dataclass(frozen=True)
class Verdict:
    """What one check found: a code and its values, which have words in both languages."""

    id: str
    requirement: str
    owner: Owner
    """Who acts first when it failed, by its words; else who answers for the requirement."""
    status: Status
    code: str
    values: Values = field(default_factory=dict)
    host: str = ""
    no_object: bool = False
    """Not run because the inventory gives it nothing to look at."""
    against: tuple[str, ...] = ()
    """Fields of the inventory that a failure contradicts."""

    def wording(self, lang: Lang) -> Wording:
        """Return what it says in a language, and what to do next."""
        return wording(check_of(self.id), self.code, self.values, lang)

    @property
    def message(self) -> str:
        """Return what it says in English."""
        return self.wording("en").message

    @property
    def next(self) -> str:
        """Return in English who does what next; empty when there is nothing to do."""
        return self.wording("en").next

    def document(self) -> dict[str, Any]:
        """Return the contract of one check of `verify --json`."""
        message = f"{self.message}; next: {self.next}" if self.next else self.message
        return {
            "id": self.id, "requirement": self.requirement, "owner": self.owner, "status": self.status,
            "code": self.code, "values": dict(self.values), "message": message,
        }  # fmt: skip
