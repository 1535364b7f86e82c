"""Operators on who hosts: activities certified for health data, the four control tasks, the catalogue of ANSSI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.judge.operators import finding
from filae_ops.judge.proof import proofs
from filae_ops.judge.qualification import qualification
from filae_ops.judge.raci import doers
from filae_ops.judge.scene import Scene, as_day, lacks
from filae_ops.judge.tree import MISSING, Found, declared, find, first
from filae_ops.judge.verdict import Finding
from filae_ops.register.hosts import Host

HDS = "hosting.certificates.hds"
REFERENTIAL = 2
"""Version of the referential that certificates are held to since HDS-04 is in force."""
HOSPITAL = ("hospital", "business_owner", "dpo")
"""Parties of the hospital that are not its DSI."""
_UNSURE = ("to_confirm", "claimed", "certified_2021", "not_relevant", "to_check")
_ROWS: Mapping[str, tuple[str, ...]] = {
    "D-PHYSICAL": ("physical_site",),
    "D-HYPERVISOR": ("hardware", "virtual_infra"),
    "D-SNAPSHOT": ("backup",),
    "D-BACKUP-INFRA": ("backup",),
    "D-FILE-BACKUP": ("backup",),
}
"""What a duty that the host does hands over to it."""
_GROUP = ("hospital-internal", "ght-member")
_VM = ("physical_site", "hardware", "virtual_infra")


def eq_or_certified(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The task is kept by this party, or by a host that is certified for `administration`."""
    if found.value == expected:
        return finding(found, "holds", "task.kept", expected)
    if found.value in HOSPITAL:
        return finding(found, "unsure", "task.elsewhere", expected)
    if found.value == "host" and scene.model == "ght":
        return finding(found, "unsure", "task.ght", expected)
    if not may_be_certified(scene, str(found.value)):
        return finding(found, "contrary", "task.lost", expected)
    against = certified_for(scene, "administration")
    return against or finding(found, "holds", "task.certified", expected)


def may_be_certified(scene: Scene, party: str) -> bool:
    """Tell whether the certificate of the inventory is this party's: the host's, or that of the outsourcer."""
    outsourced = scene.model == "internal_infogere" and party == "infogerant"
    return party == "host" or (outsourced and declared(scene.tree, HDS) is not None)


def certified_for(scene: Scene, activity: str) -> tuple[Finding, ...]:
    """Return what keeps the host's certificate from covering an activity; nothing when it does."""
    absent = lacks(scene, f"{HDS}.activities", f"{HDS}.to", f"{HDS}.referential")
    if first(scene.tree, HDS) is None:
        return (Finding("contrary", "none", HDS),)
    covered = declared(scene.tree, f"{HDS}.activities")
    if covered is not None and activity not in covered:
        return (Finding("contrary", "activity.absent", f"{HDS}.activities", covered, activity),)
    return absent or _old(scene) or _ended(scene) or proofs(scene, find(scene.tree, HDS)[0])


def _old(scene: Scene) -> tuple[Finding, ...]:
    """Return a certificate that has not begun, or whose referential (HDS-04) is no longer accepted on the day."""
    begin, rule = as_day(declared(scene.tree, f"{HDS}.from")), scene.register.requirements.get("HDS-04")
    if begin and begin > scene.day:
        words = {"begins": begin.isoformat()}
        return (Finding("contrary", "not_begun", f"{HDS}.from", begin.isoformat(), scene.day.isoformat(), words),)
    old = declared(scene.tree, f"{HDS}.referential") != REFERENTIAL
    if rule and rule.effective_from and rule.effective_from <= scene.day and old:
        said = declared(scene.tree, f"{HDS}.referential")
        return (Finding("contrary", "referential.old", f"{HDS}.referential", said, REFERENTIAL),)
    return ()


def _ended(scene: Scene) -> tuple[Finding, ...]:
    value = declared(scene.tree, f"{HDS}.to")
    end = as_day(value)
    if end is None:
        return (Finding("contrary", "none", f"{HDS}.to"),)
    if end >= scene.day:
        return ()
    words = {"days": (scene.day - end).days}
    return (Finding("expired", "after.expired", f"{HDS}.to", value, scene.day.isoformat(), words),)


def covers(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Each activity that is entrusted to the host is certified, its own or a subcontractor's; labels are compared."""
    certified = {*(found.value or ()), *_of_subhosts(scene)}
    entrusted = tuple(_entrusted(scene))
    wanted = list(dict.fromkeys(activity for activity, _ in entrusted))
    absent = [each for each in wanted if each not in certified]
    if absent:
        return finding(found, "contrary", "covers.contrary", wanted, absent=absent)
    if "backup" not in certified and (row := _not_agreed(scene)):
        return (Finding("missing", "backup_not_agreed", row, None, "backup"),)
    known = scene.host.hds.activities if scene.host else ()
    if known and (more := [each for each in found.value or () if each not in known]):
        return finding(found, "unsure", "covers.register", list(known), others=more)
    return finding(found, "holds", "covers.holds", wanted)


def _of_subhosts(scene: Scene) -> Iterator[str]:
    for each in declared(scene.tree, "hosting.subhosts") or ():
        if each.get("certificate"):
            yield from each.get("hds_activities") or ()


def _entrusted(scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the activities that the host does, each with the duty that says so."""
    kind = scene.service.kind if scene.service else ""
    yield from ((activity, "hosting.model") for activity in _VM)
    if "IaaS" not in kind and ("PaaS" in kind or "SaaS" in kind):  # elsewhere the application has its own machine
        yield "app_platform", "hosting.service_id"
    for row in scene.rows:
        if "host" in doers(row):
            yield from ((activity, row.id) for activity in _ROWS.get(row.id, ()))
            if row.activity5:
                yield "administration", row.id


def _not_agreed(scene: Scene) -> str:
    rows = [row.id for row in scene.rows if "backup" in _ROWS.get(row.id, ()) and row.letters is None]
    return f"responsibilities.{rows[0]}" if rows else ""


def hds_covers(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The third party that keeps a copy of the backups is certified for it; a copy of the hospital's own needs none."""
    offsite = found.value if isinstance(found.value, Mapping) else dict(found.above[-1][1])
    base = "backup.offsite"
    provider = offsite.get("provider_id", MISSING)
    if provider is MISSING:
        return (Finding("missing", "missing", f"{base}.provider_id"),)
    if provider is None:
        return (Finding("holds", "offsite.own", f"{base}.provider_id"),)
    if provider in _GROUP:
        return _in_group(provider, f"{base}.provider_id")
    activities = offsite.get("hds_activities", MISSING)
    if activities is MISSING:
        return (Finding("missing", "missing", f"{base}.hds_activities", None, expected),)
    if expected not in (activities or ()):
        return (Finding("contrary", "activity.absent", f"{base}.hds_activities", activities, expected),)
    covered = Finding("holds", "activity.covered", f"{base}.hds_activities", activities, expected)
    if provider == declared(scene.tree, "hosting.host_id"):
        return certified_for(scene, str(expected)) or (covered,)
    return _known(scene, provider, str(expected)) or (covered,)


def _in_group(provider: str, field: str) -> tuple[Finding, ...]:
    own = provider == "hospital-internal"
    return (Finding("holds", "offsite.own", field) if own else Finding("unsure", "offsite.ght", field, provider),)


def _known(scene: Scene, provider: str, activity: str) -> tuple[Finding, ...]:
    """Return what the register says against a third party, whose certificate the inventory does not hold."""
    field, host = "backup.offsite.provider_id", scene.register.hosts.get(provider)
    if host is None:
        return (Finding("unsure", "host_unknown", field, provider),)
    hds = host.hds
    if hds.activities and activity not in hds.activities:
        return (Finding("contrary", "register.activity", field, provider, activity, _about(host)),)
    if hds.to and hds.to < scene.day:
        return (Finding("expired", "register.ended", field, provider, hds.to.isoformat(), _about(host)),)
    if hds.status in _UNSURE or hds.confidence in ("from-memory", "analysis") or not hds.activities:
        return (Finding("unsure", "register.unsure", field, provider, activity, _about(host)),)
    return ()


def _about(host: Host) -> Mapping[str, Any]:
    return {"host": host.name, "note": host.hds.note or ""}


def in_catalogue(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The service and the decision that are declared are those that the register has for the exact service."""
    return qualification(scene, "service")
