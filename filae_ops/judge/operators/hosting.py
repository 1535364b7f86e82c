"""Operators on who hosts: activities certified for health data, the four control tasks, the catalogue of ANSSI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.judge.case.case import Case, as_day, lacks
from filae_ops.judge.case.proof_files import proofs
from filae_ops.judge.case.raci import doers
from filae_ops.judge.case.tree import MISSING, Found, declared, find, first
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.operators.comparisons import finding
from filae_ops.judge.operators.qualification import qualification
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


def eq_or_certified(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The task is kept by this party, or by a host that is certified for `administration`."""
    if found.value == expected:
        return finding(found, "holds", "task.kept", expected)
    if found.value in HOSPITAL:
        return finding(found, "unsure", "task.elsewhere", expected)
    if found.value == "host" and case.model == "ght":
        return finding(found, "unsure", "task.ght", expected)
    if not may_be_certified(case, str(found.value)):
        return finding(found, "contrary", "task.lost", expected)
    against = certified_for(case, "administration")
    return against or finding(found, "holds", "task.certified", expected)


def may_be_certified(case: Case, party: str) -> bool:
    """Tell whether the certificate of the inventory is this party's: the host's, or that of the outsourcer."""
    outsourced = case.model == "internal_infogere" and party == "infogerant"
    return party == "host" or (outsourced and declared(case.tree, HDS) is not None)


def certified_for(case: Case, activity: str) -> tuple[Finding, ...]:
    """Return what keeps the host's certificate from covering an activity; nothing when it does."""
    absent = lacks(case, f"{HDS}.activities", f"{HDS}.to", f"{HDS}.referential")
    if first(case.tree, HDS) is None:
        return (Finding("contrary", "none", HDS),)
    covered = declared(case.tree, f"{HDS}.activities")
    if covered is not None and activity not in covered:
        return (Finding("contrary", "activity.absent", f"{HDS}.activities", covered, activity),)
    return absent or _old(case) or _ended(case) or proofs(case, find(case.tree, HDS)[0])


def _old(case: Case) -> tuple[Finding, ...]:
    """Return a certificate that has not begun, or whose referential (HDS-04) is no longer accepted on the day."""
    begin, rule = as_day(declared(case.tree, f"{HDS}.from")), case.register.requirements.get("HDS-04")
    if begin and begin > case.day:
        words = {"begins": begin.isoformat()}
        return (Finding("contrary", "not_begun", f"{HDS}.from", begin.isoformat(), case.day.isoformat(), words),)
    old = declared(case.tree, f"{HDS}.referential") != REFERENTIAL
    if rule and rule.effective_from and rule.effective_from <= case.day and old:
        said = declared(case.tree, f"{HDS}.referential")
        return (Finding("contrary", "referential.old", f"{HDS}.referential", said, REFERENTIAL),)
    return ()


def _ended(case: Case) -> tuple[Finding, ...]:
    value = declared(case.tree, f"{HDS}.to")
    end = as_day(value)
    if end is None:
        return (Finding("contrary", "none", f"{HDS}.to"),)
    if end >= case.day:
        return ()
    words = {"days": (case.day - end).days}
    return (Finding("expired", "after.expired", f"{HDS}.to", value, case.day.isoformat(), words),)


def covers(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Each activity that is entrusted to the host is certified, its own or a subcontractor's; labels are compared."""
    certified = {*(found.value or ()), *_of_subhosts(case)}
    entrusted = tuple(_entrusted(case))
    wanted = list(dict.fromkeys(activity for activity, _ in entrusted))
    absent = [each for each in wanted if each not in certified]
    if absent:
        return finding(found, "contrary", "covers.contrary", wanted, absent=absent)
    if "backup" not in certified and (row := _not_agreed(case)):
        return (Finding("missing", "backup_not_agreed", row, None, "backup"),)
    known = case.host.hds.activities if case.host else ()
    if known and (more := [each for each in found.value or () if each not in known]):
        return finding(found, "unsure", "covers.register", list(known), others=more)
    return finding(found, "holds", "covers.holds", wanted)


def _of_subhosts(case: Case) -> Iterator[str]:
    for each in declared(case.tree, "hosting.subhosts") or ():
        if each.get("certificate"):
            yield from each.get("hds_activities") or ()


def _entrusted(case: Case) -> Iterator[tuple[str, str]]:
    """Yield the activities that the host does, each with the duty that says so."""
    kind = case.service.kind if case.service else ""
    yield from ((activity, "hosting.model") for activity in _VM)
    if "IaaS" not in kind and ("PaaS" in kind or "SaaS" in kind):  # elsewhere the application has its own machine
        yield "app_platform", "hosting.service_id"
    for row in case.rows:
        if "host" in doers(row):
            yield from ((activity, row.id) for activity in _ROWS.get(row.id, ()))
            if row.activity5:
                yield "administration", row.id


def _not_agreed(case: Case) -> str:
    rows = [row.id for row in case.rows if "backup" in _ROWS.get(row.id, ()) and row.letters is None]
    return f"responsibilities.{rows[0]}" if rows else ""


def hds_covers(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
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
    if provider == declared(case.tree, "hosting.host_id"):
        return certified_for(case, str(expected)) or (covered,)
    return _known(case, provider, str(expected)) or (covered,)


def _in_group(provider: str, field: str) -> tuple[Finding, ...]:
    own = provider == "hospital-internal"
    return (Finding("holds", "offsite.own", field) if own else Finding("unsure", "offsite.ght", field, provider),)


def _known(case: Case, provider: str, activity: str) -> tuple[Finding, ...]:
    """Return what the register says against a third party, whose certificate the inventory does not hold."""
    field, host = "backup.offsite.provider_id", case.register.hosts.get(provider)
    if host is None:
        return (Finding("unsure", "host_unknown", field, provider),)
    hds = host.hds
    if hds.activities and activity not in hds.activities:
        return (Finding("contrary", "register.activity", field, provider, activity, _about(host)),)
    if hds.to and hds.to < case.day:
        return (Finding("expired", "register.ended", field, provider, hds.to.isoformat(), _about(host)),)
    if hds.status in _UNSURE or hds.confidence in ("from-memory", "analysis") or not hds.activities:
        return (Finding("unsure", "register.unsure", field, provider, activity, _about(host)),)
    return ()


def _about(host: Host) -> Mapping[str, Any]:
    return {"host": host.name, "note": host.hds.note or ""}


def in_catalogue(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The service and the decision that are declared are those that the register has for the exact service."""
    return qualification(case, "service")
