"""A derogation to SecNumCloud: on which text, for whom, since when, and until when."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from filae_ops.judge.case.case import Case, as_day, lacks
from filae_ops.judge.case.tree import MISSING, declared, first
from filae_ops.judge.case.verdict import Finding

STATE = ("state_administration", "state_operator", "sren_gip")
"""Bodies that SecNumCloud binds."""
LONGEST = dt.timedelta(days=549)
"""Eighteen months: what a derogation may last."""
BASE = "hosting.derogation"
_LAW = re.compile(r"sren|2024-449|2026-272", re.IGNORECASE)
"""The law that allows one, and its decree."""


def derogation(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """SNC-12: it rests on the law, is open to this body, lasts eighteen months at most, and is not that of 2021."""
    return (*found, *_basis(case), *_dates(case))


def _basis(case: Case) -> Iterator[Finding]:
    basis, kind = declared(case.tree, f"{BASE}.basis"), declared(case.tree, "establishment.kind")
    if re.search(r"6282|2021", str(basis or "")):
        yield Finding("contrary", "derogation.2021", f"{BASE}.basis", basis)
    elif basis and not _LAW.search(str(basis)):
        yield Finding("unsure", "derogation.basis", f"{BASE}.basis", basis)
    if kind is not None and kind not in STATE:
        yield Finding("unsure", "derogation.not_open", "establishment.kind", kind)
    yield from lacks(case, "establishment.kind")


def _dates(case: Case) -> Iterator[Finding]:
    granted = first(case.tree, f"{BASE}.granted_on")
    begin, end = as_day(None if granted is MISSING else granted), as_day(declared(case.tree, f"{BASE}.until"))
    if granted is MISSING:
        yield Finding("missing", "missing", f"{BASE}.granted_on")
    elif begin is None:
        yield Finding("contrary", "none", f"{BASE}.granted_on")
    elif begin > case.day:
        words = {"date": begin.isoformat()}
        yield Finding("contrary", "future", f"{BASE}.granted_on", granted, case.day.isoformat(), words)
    elif end and end - begin > LONGEST:
        yield Finding("contrary", "derogation.long", f"{BASE}.until", end.isoformat(), 18, {"date": begin.isoformat()})


def under_derogation(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """SNC-01: a derogation that runs takes the place of the qualification until its last day; a person confirms it."""
    snc, end = "hosting.certificates.snc", as_day(declared(case.tree, f"{BASE}.until"))
    sound = end and end >= case.day and declared(case.tree, f"{BASE}.signed_by")
    if not sound or any(each.outcome != "holds" for each in derogation(case, ())):
        return found
    covered = Finding("unsure", "derogation.covers", f"{BASE}.until", declared(case.tree, f"{BASE}.until"))
    kept = tuple(each for each in found if each.field != snc or each.outcome == "holds")
    return found if len(kept) == len(found) else (*kept, covered)
