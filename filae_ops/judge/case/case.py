"""What one judgement looks at: the declared tree, the register, the day and the files that were read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filae_ops.judge.case.register import Register
from filae_ops.judge.case.tree import MISSING, Tree, declared, first
from filae_ops.judge.case.verdict import EvidenceFile, Finding, Outcome, Row
from filae_ops.register.hosts import Host, Service
from filae_ops.register.tables import Lifecycle

THIRD_PARTIES = ("hds_host", "third_party")
"""Models that name a host of the register."""
WORST: tuple[Outcome, ...] = ("contrary", "expired", "missing", "unsure", "unmeasured", "holds")
"""Outcomes, worst first."""


@dataclass(frozen=True)
class Case:
    """Everything that a verdict may rest on."""

    tree: Tree
    """What is declared."""
    register: Register
    day: dt.date
    """Day of the judgement."""
    rows: tuple[Row, ...]
    """Responsibility matrix of the site."""
    evidence: Mapping[str, EvidenceFile]
    """By declared path."""
    certificates: Mapping[str, dt.date]
    """Last day of each certificate that was read, by declared path."""

    @property
    def model(self) -> str:
        """Return the hosting model; empty when it is missing."""
        return str(declared(self.tree, "hosting.model") or "")

    @property
    def host(self) -> Host | None:
        """Return the declared host, when the register has it."""
        return self.register.hosts.get(str(declared(self.tree, "hosting.host_id")))

    @property
    def service(self) -> Service | None:
        """Return the declared service of the declared host, when the register has it."""
        name = declared(self.tree, "hosting.service_id")
        return next((each for each in self.host.services if each.id == name), None) if self.host else None

    def calendar(self, product: str, version: str) -> Lifecycle | None:
        """Return the calendar of `version`, or of the version it belongs to: 17 for 17.6, 3.3 for 3.3.8."""
        found = (self.register.lifecycles.get((product, name)) for name in _wider(version))
        return next((each for each in found if each), None)

    def ships(self, system: str, version: str) -> Mapping[str, str]:
        """Return versions by product of what a distribution ships; empty when the register does not know."""
        found = (self.register.shipped.get((system, name)) for name in _wider(version))
        return next((each for each in found if each), {})

    def zone(self, name: str) -> frozenset[str]:
        """Return the countries of `EU` or `EEA`."""
        return self.register.countries[name]

    def countries_of(self, field: str) -> dict[str, str]:
        """Return what is known of `hq_country` or `parent_country`: who says it (`declared`, `register`), what."""
        said = declared(self.tree, f"hosting.extra_eu.{field}")
        company = self.host is not None and self.host.kind == "company" and self.model in THIRD_PARTIES
        known = getattr(self.host, field) if company else None
        return {who: str(what) for who, what in (("declared", said), ("register", known)) if what}


def _wider(version: str) -> Iterator[str]:
    """Yield 17.6 and 17 of `17.6-0+deb13u1`."""
    numbers = re.match(r"[0-9]+(\.[0-9]+)*", version)
    parts = numbers[0].split(".") if numbers else []
    return (".".join(parts[:length]) for length in range(len(parts), 0, -1))


def as_day(value: Any) -> dt.date | None:
    """Return a declared date; None when it is not one."""
    try:
        return dt.date.fromisoformat(str(value)[:10]) if value is not None else None
    except ValueError:
        return None


def lacks(case: Case, *fields: str) -> tuple[Finding, ...]:
    """Return one finding for each of these fields that is missing."""
    return tuple(Finding("missing", "missing", each) for each in fields if first(case.tree, each) is MISSING)


def worst(findings: tuple[Finding, ...]) -> Outcome:
    """Return the worst outcome; nothing found holds."""
    return min((each.outcome for each in findings), key=WORST.index, default="holds")
