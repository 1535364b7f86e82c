"""How a declared value is compared: one small pure function for each operator of the register."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from filae_ops.judge.case.case import Case, as_day
from filae_ops.judge.case.tree import MISSING, Found, first
from filae_ops.judge.case.verdict import Finding, Outcome

Operator = Callable[[Case, Found, Any], tuple[Finding, ...]]
"""Takes what is judged, a declared value and what is wanted of it; at least one finding."""
LEVELS = ("none", "minimal", "intermediary", "enhanced", "high")
"""Levels of hardening of ANSSI-BP-028, lowest first."""
MAY_BE_EMPTY = ("hosting.remote_access_countries", "hosting.extra_eu.declared_laws")
"""Lists that may say « none » without being at fault: no remote access, no foreign law."""
SOON = dt.timedelta(days=180)
"""A date that ends within this time is said to end soon."""
_VERSION = re.compile(r"\d+(\.\d+)*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def finding(found: Found, outcome: Outcome, code: str, expected: Any = None, **words: Any) -> tuple[Finding, ...]:
    """Return the finding on a declared value."""
    value = None if found.missing else found.value
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        value = len(value)
    return (Finding(outcome, code, found.name, value, expected, words or None),)


def _says(found: Found, good: bool, name: str, expected: Any, **words: Any) -> tuple[Finding, ...]:
    outcome: Outcome = "holds" if good else "contrary"
    return finding(found, outcome, f"{name}.{outcome}", expected, **words)


def exists(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Something is declared: neither null, false nor empty; a date or a dated document is not of the future."""
    value = found.value
    day = as_day(value.get("date") if isinstance(value, Mapping) else value) if _dated(value) else None
    if day and day > case.day:
        return finding(found, "contrary", "future", case.day.isoformat(), date=day.isoformat())
    hollow = isinstance(value, Mapping) and all(each is None for each in value.values())
    there = value is not None and value is not False and value not in ("", [], ()) and not hollow
    there = there or (value == [] and found.name in MAY_BE_EMPTY)
    return _says(found, there is (expected is not False), "exists", expected)


def claimed(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Something is claimed; nobody has to, so that what is missing is not."""
    there = not found.missing and found.value not in (None, False)
    return _says(found, there is (expected is not False), "claimed", expected)


def _dated(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, str) and bool(_DAY.fullmatch(value)))


def eq(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The value is this one; null is « there is none », as false is."""
    value = False if found.value is None and expected is False else found.value
    return _says(found, type(value) is type(expected) and value == expected, "eq", expected)


def is_in(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The value is one of these, or a country of EU or EEA."""
    return _says(found, found.value in _members(case, expected), "in", expected)


def subset_of(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Every item of the list is one of these, or a country of EU or EEA; the words name the others."""
    others = [each for each in found.value or () if each not in _members(case, expected)]
    if not found.value and found.name not in MAY_BE_EMPTY:
        return finding(found, "contrary", "none", expected)
    return _says(found, not others, "subset_of", expected, others=others)


def not_subset_of(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """At least one item of the list is none of these."""
    others = [each for each in found.value or () if each not in _members(case, expected)]
    return _says(found, bool(others), "not_subset_of", expected, others=others)


def _members(case: Case, expected: Any) -> frozenset[Any] | tuple[Any, ...]:
    return case.zone(expected) if expected in ("EU", "EEA") else tuple(expected)


def gte(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The number, the version or the level of hardening is at least this one."""
    wanted = str(expected) if isinstance(found.value, str) and isinstance(expected, float) else expected
    value, least = rank(found.value), rank(wanted)
    return _says(found, value is not None and least is not None and value >= least, "gte", expected)


def lte(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The number is at most this one."""
    value, most = rank(found.value), rank(expected)
    return _says(found, value is not None and most is not None and value <= most, "lte", expected)


def between(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The number is from the first to the second, both included."""
    value, low, high = rank(found.value), rank(expected[0]), rank(expected[1])
    good = value is not None and low is not None and high is not None and low <= value <= high
    return _says(found, good, "between", list(expected))


def rank(value: Any) -> tuple[float, ...] | None:
    """Return what orders a number, a version such as 3.2 or a level of hardening; None for anything else."""
    if isinstance(value, bool):
        return None
    if value in LEVELS:
        return (float(LEVELS.index(value)),)
    if isinstance(value, int | float):
        return (float(value),)
    if isinstance(value, str) and _VERSION.fullmatch(value):
        return tuple(float(part) for part in value.split("."))
    return None


def not_empty(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The list, the mapping or the text has something in it."""
    counted = isinstance(found.value, list) and bool(found.value) and isinstance(found.value[0], Mapping)
    return finding(found, "holds", "counted") if counted else _says(found, bool(found.value), "not_empty", expected)


def contains(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The list has this label, or a text that names it; a text names it."""
    return contains_all(case, found, [expected], "contains", expected)


def contains_all(
    case: Case, found: Found, wanted: Any, name: str = "contains_all", expected: Any = None
) -> tuple[Finding, ...]:
    """The list has all these labels, and the words name these alone; else they name those that it lacks."""
    absent = [each for each in wanted if not _names(found.value, each)]
    if not absent and isinstance(found.value, list):
        found = replace(found, value=[each for each in found.value if any(_names([each], one) for one in wanted)])
    return _says(found, not absent, name, list(wanted) if expected is None else expected, absent=absent)


def _names(value: Any, wanted: str) -> bool:
    if isinstance(value, str):
        return wanted.casefold() in value.casefold()
    if not isinstance(value, list | tuple):
        return False
    label = re.fullmatch(r"[a-z0-9_]+", wanted) is not None
    return wanted in value if label else any(wanted.casefold() in str(each).casefold() for each in value)


def after(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The last day is not before the day of the judgement, and the period that it ends has begun."""
    last = as_day(found.value)
    if last is None:
        return finding(found, "contrary", "not_a_date")
    begun = as_day(found.above[-1][1].get("from")) if found.above else None
    if begun and begun > case.day:
        return finding(found, "contrary", "not_begun", case.day.isoformat(), begins=begun.isoformat())
    if last < case.day:
        return finding(found, "expired", "after.expired", case.day.isoformat(), days=(case.day - last).days)
    code = "after.soon" if last - case.day <= SOON else "after.holds"
    return finding(found, "holds", code, case.day.isoformat(), days=(last - case.day).days)


def within_days(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The date, or that of what is declared, is not of the future and at most so many days ago."""
    if isinstance(found.value, Mapping):
        found = Found(f"{found.name}.date", found.value.get("date", MISSING), found.item, found.above)
    if found.missing:
        return finding(found, "missing", "missing")
    day = as_day(found.value)
    if day is None:
        return finding(found, "contrary", "not_a_date")
    age = (case.day - day).days
    if age < 0:
        return finding(found, "contrary", "future", case.day.isoformat(), date=day.isoformat())
    outcome: Outcome = "holds" if age <= expected else "expired"
    return finding(found, outcome, f"within_days.{outcome}", expected, days=age)


def lte_field(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The number is at most that of another field, in the same unit."""
    return _against(case, found, expected, 1, "lte_field")


def rpo_covers(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Backups so many hours apart lose no more than the minutes of `continuity.rpo_minutes`."""
    return _against(case, found, "continuity.rpo_minutes", 60, "rpo_covers")


def _against(case: Case, found: Found, other: str, unit: int, name: str) -> tuple[Finding, ...]:
    limit = first(case.tree, other)
    if limit is MISSING:
        return (Finding("missing", "missing", other),)
    if limit is None:
        return (Finding("contrary", "none", other),)
    value, most = rank(found.value), rank(limit)
    good = value is not None and most is not None and value[0] * unit <= most[0]
    return _says(found, good, name, limit, other=other)


def confirm(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Nothing can be computed: a person reads what is declared."""
    return finding(found, "unsure", "confirm", expected)
