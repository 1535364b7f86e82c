"""What one host check says of a machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from filae_ops.errors import Owner

Status = Literal["pass", "fail", "not_run"]


@dataclass(frozen=True)
class Verdict:
    """What one check found; `next` says who does what, when it failed."""

    id: str
    requirement: str
    owner: Owner
    status: Status
    message: str
    next: str = ""
    host: str = ""
    no_object: bool = False
    """Not run because the inventory gives it nothing to look at."""
    against: tuple[str, ...] = ()
    """Fields of the inventory that a failure contradicts."""

    def document(self) -> dict[str, str]:
        """Return the contract of one check of `verify --json`."""
        message = f"{self.message}; next: {self.next}" if self.next else self.message
        return {
            "id": self.id, "requirement": self.requirement, "owner": self.owner, "status": self.status,
            "message": message,
        }  # fmt: skip
