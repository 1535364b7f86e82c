"""What the rest of the inventory says against a model or a certificate: requirements that it may bring back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping

from filae_ops.judge.case.case import Case, as_day, lacks
from filae_ops.judge.case.raci import doers
from filae_ops.judge.case.tree import declared, first
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.operators.hosting import HDS, HOSPITAL, certified_for

Keep = Callable[[Case], tuple[Finding, ...]]
_IN_HOSPITAL = ("internal", "internal_infogere", "internal_vendor_admin", "ght")
_ROOM: Mapping[str, tuple[str, ...]] = {"D-PHYSICAL": ("physical_site",), "D-HYPERVISOR": ("hardware", "virtual_infra")}
"""Duties that make a hosting company of whoever does them, and the activities that they are."""
_BACKUPS = ("D-BACKUP-INFRA", "D-SNAPSHOT")
_AUDIT = dt.timedelta(days=400)
_THREE_YEARS = dt.timedelta(days=3 * 366)


def _handed(case: Case, *duties: str) -> Iterator[tuple[str, str, str]]:
    """Yield the duty, the party and its letters, where the site hands one of these to another than the hospital."""
    said = declared(case.tree, "responsibilities") or {}
    for row in case.rows:
        if row.id in duties and row.id in said and case.model in _IN_HOSPITAL:
            for party in doers(row):
                if party not in ("dsi", *HOSPITAL) and (party, case.model) != ("host", "ght"):
                    yield row.id, party, said[row.id][party]


def room(case: Case) -> tuple[Finding, ...]:
    """HDS-01: a hospital that has its room or its hypervisor held by another does not host by itself."""
    if declared(case.tree, "data.health") is False:
        return ()
    return tuple(each for handed in _handed(case, *_ROOM) for each in _room(case, *handed))


def _room(case: Case, duty: str, party: str, letters: str) -> Iterator[Finding]:
    if party == "infogerant" and case.model == "internal_infogere" and declared(case.tree, HDS):
        for activity in _ROOM[duty]:
            yield from certified_for(case, activity)
        return
    outcome, code = ("unsure", "handed.hypervisor") if duty == "D-HYPERVISOR" else ("contrary", "handed.room")
    if party == "host":
        outcome, code = "contrary", "handed.room"
    yield Finding(outcome, code, f"responsibilities.{duty}.{party}", letters)  # type: ignore[arg-type]


def backups(case: Case) -> tuple[Finding, ...]:
    """HDS-21: who runs the hospital's backups may keep the copies in its own place."""
    found = _handed(case, *_BACKUPS)
    return tuple(
        Finding("unsure", "handed.backup", f"responsibilities.{duty}.{party}", letters)
        for duty, party, letters in found
        if party != "infogerant"
    )


def denied(case: Case) -> tuple[Finding, ...]:
    """HDS-24: a site in production that says it holds no health data switches the law off; a lawyer says so first."""
    if declared(case.tree, "data.health") is not False or declared(case.tree, "site.environment") != "production":
        return ()
    return (Finding("unsure", "data.denied", "data.health", False),)


def number(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-01: the certificate is that of a host that is named, with the number that the register knows of it."""
    found = (*found, *lacks(case, "hosting.host_id"))
    known = case.host.hds.certificate if case.host else None
    if known is None:
        return found
    said = declared(case.tree, f"{HDS}.number")
    if said is None:
        return (*found, *lacks(case, f"{HDS}.number"))
    if _plain(known) in _plain(said):
        return found
    return (*found, Finding("unsure", "hds.number", f"{HDS}.number", said, known))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", re.sub(r"\(.*?\)", "", text)).casefold()


def period(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-05: three years at most; a certificate of this year has no surveillance audit yet, and may say so."""
    begin, end = (as_day(declared(case.tree, f"{HDS}.{key}")) for key in ("from", "to"))
    audit = f"{HDS}.surveillance_last"
    if begin and begin <= case.day <= begin + _AUDIT and first(case.tree, HDS) and first(case.tree, audit) is None:
        ok = Finding("holds", "audit.not_yet", audit, None, None, {"begins": begin.isoformat()})
        found = (*(each for each in found if each.field != audit), ok)
    if begin and end and end - begin > _THREE_YEARS:
        words = {"begins": begin.isoformat()}
        found = (*found, Finding("unsure", "hds.long", f"{HDS}.to", end.isoformat(), None, words))
    return found


def member(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-03: a member of the group that is certified needs none of the three conditions."""
    if all(each.outcome == "holds" for each in found) or not isinstance(first(case.tree, HDS), Mapping):
        return found
    against = (*certified_for(case, "physical_site"), *certified_for(case, "hardware"))
    against = (*against, *certified_for(case, "virtual_infra"))
    return against or (Finding("holds", "ght.certified", HDS, declared(case.tree, f"{HDS}.number")),)


KEPT: Mapping[str, Keep] = {"HDS-01": room, "HDS-21": backups, "HDS-24": denied}
"""Requirements that a condition sets aside, and that these findings bring back."""
