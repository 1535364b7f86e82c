"""Operators on ends of support: of the versions that a machine runs, and of a certificate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from filae_ops.judge.case.case import Case, as_day
from filae_ops.judge.case.tree import Found
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.operators.comparisons import finding, rank
from filae_ops.register.tables import Lifecycle

_PRODUCTS = {"postgres": "postgresql"}


def product(found: Found) -> str:
    """Return the product that a version is of: the system of a machine, or a component of `software`."""
    if not isinstance(found.item, Mapping):
        return ""
    name = str((found.item.get("os") or {}).get("id") or found.item.get("name", "")).casefold()
    return _PRODUCTS.get(name, name)


def supported_at(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The version has its standard support on the day; long-term support alone is a gap, none is refused."""
    name, version = product(found), str(found.value)
    known = case.calendar(name, version)
    words = {"product": name, "version": version}
    if known is None and (oldest := _ended_before(case, name, version)):
        words |= {"oldest": oldest.version, "until": oldest.free_until.isoformat()}
        return finding(found, "contrary", "support.older", **words)
    if known is None:
        return finding(found, "unsure", "support.unknown", **words)
    support = known.support(case.day)
    words["until"] = known.standard_until.isoformat()
    if support == "standard":
        return finding(found, "holds", "support.standard", **words)
    if support == "extended":
        return finding(found, "expired", "support.extended", **words, long_until=known.free_until.isoformat())
    words["until"] = known.free_until.isoformat()
    if bought := _bought(case, found, known):
        return finding(found, "expired", "support.bought", **words, **bought)
    return finding(found, "contrary", "support.ended", **words)


def _ended_before(case: Case, name: str, version: str) -> Lifecycle | None:
    """Return the oldest version with a calendar, when it has ended and `version` is older still."""
    own = re.match(r"[0-9]+(\.[0-9]+)*", version)
    known = sorted(
        ((rank(key[1]) or (), row) for key, row in case.register.lifecycles.items() if key[0] == name),
        key=lambda each: each[0],
    )
    if not own or not known or known[0][1].free_until >= case.day:
        return None
    return known[0][1] if (rank(own[0]) or ()) < known[0][0] else None


def _bought(case: Case, found: Found, known: Lifecycle) -> dict[str, str]:
    """Return the subscription that is declared and maintains the machine on the day; empty without one."""
    system = found.above[-1][1] if found.above else {}
    contract = system.get("extended_support") if ".os." in found.name else None
    until = as_day(contract.get("until")) if isinstance(contract, Mapping) else None
    sold = any(each.subscription and case.day <= each.until for each in known.extended)
    if until is None or until < case.day or not sold:
        return {}
    return {"contract": str(contract.get("name", "")), "long_until": until.isoformat()} if contract else {}


def supported_for_days(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The standard support lasts for so many days more."""
    name, version = product(found), str(found.value)
    known = case.calendar(name, version)
    words: dict[str, Any] = {"product": name, "version": version}
    if known is None:
        return finding(found, "unsure", "support.unknown", **words)
    left = (known.standard_until - case.day).days
    words["until"] = known.standard_until.isoformat()
    if left < 0:
        return finding(found, "expired", "support.past", expected, **words, days=-left)
    words["days"] = left
    if left < expected:
        return finding(found, "expired", "support.short", expected, **words)
    return finding(found, "holds", "support.long", expected, **words)


def certificate_days(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The certificate in this file lasts for so many days more."""
    end, file = case.certificates.get(str(found.value)), case.evidence.get(str(found.value))
    if end is None and file and file.problem:
        return ()  # what is wrong with the file is said apart
    if end is None:
        return finding(found, "contrary", "certificate.unreadable", expected)
    left, words = (end - case.day).days, {"date": end.isoformat()}
    if left < 0:
        return finding(found, "expired", "certificate.expired", expected, **words, days=-left)
    if left < expected:
        return finding(found, "expired", "certificate.short", expected, **words, days=left)
    return finding(found, "holds", "certificate.holds", expected, **words, days=left)
