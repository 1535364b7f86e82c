"""What the rest of the inventory says against a model or a certificate: requirements that it may bring back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping

from filae_ops.judge.hosting import HDS, HOSPITAL, certified_for
from filae_ops.judge.raci import doers
from filae_ops.judge.scene import Scene, as_day, lacks
from filae_ops.judge.tree import declared, first
from filae_ops.judge.verdict import Finding

Keep = Callable[[Scene], tuple[Finding, ...]]
_IN_HOSPITAL = ("internal", "internal_infogere", "internal_vendor_admin", "ght")
_ROOM: Mapping[str, tuple[str, ...]] = {"D-PHYSICAL": ("physical_site",), "D-HYPERVISOR": ("hardware", "virtual_infra")}
"""Duties that make a hosting company of whoever does them, and the activities that they are."""
_BACKUPS = ("D-BACKUP-INFRA", "D-SNAPSHOT")
_AUDIT = dt.timedelta(days=400)
_THREE_YEARS = dt.timedelta(days=3 * 366)


def _handed(scene: Scene, *duties: str) -> Iterator[tuple[str, str, str]]:
    """Yield the duty, the party and its letters, where the site hands one of these to another than the hospital."""
    said = declared(scene.tree, "responsibilities") or {}
    for row in scene.rows:
        if row.id in duties and row.id in said and scene.model in _IN_HOSPITAL:
            for party in doers(row):
                if party not in ("dsi", *HOSPITAL) and (party, scene.model) != ("host", "ght"):
                    yield row.id, party, said[row.id][party]


def room(scene: Scene) -> tuple[Finding, ...]:
    """HDS-01: a hospital that has its room or its hypervisor held by another does not host by itself."""
    if declared(scene.tree, "data.health") is False:
        return ()
    return tuple(each for handed in _handed(scene, *_ROOM) for each in _room(scene, *handed))


def _room(scene: Scene, duty: str, party: str, letters: str) -> Iterator[Finding]:
    if party == "infogerant" and scene.model == "internal_infogere" and declared(scene.tree, HDS):
        for activity in _ROOM[duty]:
            yield from certified_for(scene, activity)
        return
    outcome, code = ("unsure", "handed.hypervisor") if duty == "D-HYPERVISOR" else ("contrary", "handed.room")
    if party == "host":
        outcome, code = "contrary", "handed.room"
    yield Finding(outcome, code, f"responsibilities.{duty}.{party}", letters)  # type: ignore[arg-type]


def backups(scene: Scene) -> tuple[Finding, ...]:
    """HDS-21: who runs the hospital's backups may keep the copies in its own place."""
    found = _handed(scene, *_BACKUPS)
    return tuple(
        Finding("unsure", "handed.backup", f"responsibilities.{duty}.{party}", letters)
        for duty, party, letters in found
        if party != "infogerant"
    )


def denied(scene: Scene) -> tuple[Finding, ...]:
    """HDS-24: a site in production that says it holds no health data switches the law off; a lawyer says so first."""
    if declared(scene.tree, "data.health") is not False or declared(scene.tree, "site.environment") != "production":
        return ()
    return (Finding("unsure", "data.denied", "data.health", False),)


def number(scene: Scene, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-01: the certificate is that of a host that is named, with the number that the register knows of it."""
    found = (*found, *lacks(scene, "hosting.host_id"))
    known = scene.host.hds.certificate if scene.host else None
    if known is None:
        return found
    said = declared(scene.tree, f"{HDS}.number")
    if said is None:
        return (*found, *lacks(scene, f"{HDS}.number"))
    if _plain(known) in _plain(said):
        return found
    return (*found, Finding("unsure", "hds.number", f"{HDS}.number", said, known))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", re.sub(r"\(.*?\)", "", text)).casefold()


def period(scene: Scene, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-05: three years at most; a certificate of this year has no surveillance audit yet, and may say so."""
    begin, end = (as_day(declared(scene.tree, f"{HDS}.{key}")) for key in ("from", "to"))
    audit = f"{HDS}.surveillance_last"
    if begin and begin <= scene.day <= begin + _AUDIT and first(scene.tree, HDS) and first(scene.tree, audit) is None:
        ok = Finding("holds", "audit.not_yet", audit, None, None, {"begins": begin.isoformat()})
        found = (*(each for each in found if each.field != audit), ok)
    if begin and end and end - begin > _THREE_YEARS:
        words = {"begins": begin.isoformat()}
        found = (*found, Finding("unsure", "hds.long", f"{HDS}.to", end.isoformat(), None, words))
    return found


def member(scene: Scene, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-03: a member of the group that is certified needs none of the three conditions."""
    if all(each.outcome == "holds" for each in found) or not isinstance(first(scene.tree, HDS), Mapping):
        return found
    against = (*certified_for(scene, "physical_site"), *certified_for(scene, "hardware"))
    against = (*against, *certified_for(scene, "virtual_infra"))
    return against or (Finding("holds", "ght.certified", HDS, declared(scene.tree, f"{HDS}.number")),)


KEPT: Mapping[str, Keep] = {"HDS-01": room, "HDS-21": backups, "HDS-24": denied}
"""Requirements that a condition sets aside, and that these findings bring back."""
