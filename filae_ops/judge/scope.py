"""Whether a requirement applies to this site, and to which of its machines or components."""

from __future__ import annotations

from dataclasses import dataclass

from filae_ops.judge.case.case import Case
from filae_ops.judge.case.tree import MISSING, Found, find, generic
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.operators.table import OPERATORS
from filae_ops.register.model import Condition, Requirement

_ALWAYS_HELD = ("data.health", "data.judicial")
"""Filaé always holds them: left out, they count as true."""
_RUNS_ON = "software[].name"
"""Filaé always runs on PostgreSQL and Ruby, listed or not."""
_PARENT = "hosting.extra_eu.parent_country"


@dataclass(frozen=True)
class Scope:
    """What the conditions of a requirement say."""

    excluded: Finding | None = None
    """The condition that keeps it from applying."""
    missing: tuple[Finding, ...] = ()
    """Fields of conditions that are missing: it applies, and they are to document."""
    items: frozenset[str] | None = None
    """Items of the list that it applies to, as `machines[filae-1]`; None: all."""

    def holds(self, name: str) -> bool:
        """Tell whether a field is of an item that the requirement applies to."""
        return self.items is None or _item(name) in self.items


def scope(case: Case, requirement: Requirement) -> Scope:
    """Return whether a requirement applies: not when one condition is not met, whatever the others miss."""
    missing: list[Finding] = []
    items: frozenset[str] | None = None
    for condition in requirement.applies.when:
        if condition.field == _RUNS_ON:
            continue
        values = _values(case, condition)
        met = [found for found in values if _met(case, condition, found)]
        unknown = [found for found in values if found.missing and condition.op != "claimed"]
        if not met and not unknown:
            first = values[0]
            value = None if first.missing else first.value
            return Scope(Finding("holds", "condition", first.name, value, _plain(condition.value)))
        missing += [Finding("missing", "condition_missing", found.name) for found in unknown]
        if "[]" in condition.field:
            those = frozenset(_item(found.name) for found in met)
            items = those if items is None else items & those
    return Scope(None, tuple(missing), items)


def _values(case: Case, condition: Condition) -> tuple[Found, ...]:
    """Return the declared values; the country of the parent is the register's too."""
    found = find(case.tree, condition.field)
    if condition.field in _ALWAYS_HELD and found[0].value in (MISSING, None):
        return (Found(condition.field, True),)
    if condition.field == _PARENT:
        known = tuple(Found(_PARENT, value) for value in case.countries_of("parent_country").values())
        return known or found
    return found


def _met(case: Case, condition: Condition, found: Found) -> bool:
    if found.missing or (found.value is None and condition.value is not False):
        return False
    return OPERATORS[condition.op](case, found, _plain(condition.value))[0].outcome == "holds"


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _item(name: str) -> str:
    return name[: name.index("]") + 1] if "]" in name else generic(name)
