"""Requirements that say more than their rows of evidence: what else is looked at, by requirement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from filae_ops.judge.case.case import Case, lacks
from filae_ops.judge.case.proof_files import file_findings
from filae_ops.judge.case.raci import doers
from filae_ops.judge.case.tree import MISSING, Found, declared, find, first
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.entrusted import member, number, period
from filae_ops.judge.operators.derogation import STATE, derogation, under_derogation
from filae_ops.judge.operators.hosting import HOSPITAL, certified_for, may_be_certified
from filae_ops.judge.operators.immunity import access, capital, claim_findings, seat
from filae_ops.judge.operators.qualification import claimed, qualification
from filae_ops.judge.operators.support import supported_at

Revise = Callable[[Case, tuple[Finding, ...]], tuple[Finding, ...]]
Exclude = Callable[[Case], Finding | None]
_NAMES = {"postgresql": re.compile(r"postgres(ql)?[-_ ]?[\d.]*"), "ruby": re.compile(r"ruby[-_ ]?[\d.]*")}


def control_rows(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-07: a party that does part of a control task, by the responsibility matrix, must be certified for it."""
    return (*found, *_control_rows(case))


def _control_rows(case: Case) -> Iterator[Finding]:
    said = declared(case.tree, "responsibilities") or {}
    for row in case.rows:
        for party in doers(row) if row.activity5 and row.id in said else ():
            field = f"responsibilities.{row.id}.{party}"
            if party == "host" and case.model == "ght":
                yield Finding("unsure", "task.ght", field, said[row.id][party], "dsi")
            elif may_be_certified(case, party):
                yield from certified_for(case, "administration")
            elif party != "dsi" and party not in HOSPITAL:
                words = {"duty": row.fr, "duty_en": row.en}
                yield Finding("contrary", "task.shared", field, said[row.id][party], "dsi", words)


def laws(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-12: a list of foreign laws may be empty where the host and its parent are declared inside the EEA."""
    if declared(case.tree, "hosting.extra_eu.declared_laws"):
        return found
    outside = [
        country
        for key in ("hq_country", "parent_country")
        for country in case.countries_of(key).values()
        if country not in case.zone("EEA")
    ]
    denied = [Finding("contrary", "laws.denied", "hosting.extra_eu.declared_laws", [], each) for each in outside[:1]]
    return (*found, *denied, *lacks(case, "hosting.extra_eu.hq_country", "hosting.extra_eu.parent_country"))


def chain(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """HDS-16: each link of the chain that does part of the hosting shows its certificate."""
    links = declared(case.tree, "hosting.subhosts")
    if first(case.tree, "hosting.subhosts") is MISSING:
        return found
    if not links:
        return (Finding("contrary", "chain.register", "hosting.subhosts", links, _runs_on(case)),)
    return tuple(each for index, link in enumerate(links) for each in _link(case, link, index))


def _link(case: Case, link: Mapping[str, Any], index: int) -> Iterator[Finding]:
    name = f"hosting.subhosts[{link.get('name', index)}]"
    activities, copy = link.get("hds_activities", MISSING), link.get("certificate", MISSING)
    if activities is MISSING:
        yield Finding("missing", "missing", f"{name}.hds_activities")
    elif not activities:
        yield Finding("holds", "chain.no_activity", f"{name}.hds_activities", activities)
        return
    if copy is MISSING:
        yield Finding("missing", "missing", f"{name}.certificate")
    elif copy is None:
        yield Finding("contrary", "none", f"{name}.certificate")
    else:
        ok = Finding("holds", "file.read", f"{name}.certificate", copy)
        yield from file_findings(case, f"{name}.certificate", copy) or (ok,)


def _runs_on(case: Case) -> str | None:
    return case.service.runs_on if case.service else None


def claim(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """EXT-01: what is claimed is what the register knows of the exact service."""
    return claim_findings(case)


def claim_period(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """SNC-04: the qualification runs, by what is declared and by the register."""
    return qualification(case, "period")


def claim_version(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """SNC-05: the version is at least 3.2, by what is declared and by the register."""
    return qualification(case, "version")


def seat_and_capital(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """EXT-02: the register may know a parent outside the European Union that the inventory does not name."""
    said = {each.field for each in found if each.outcome == "contrary"}
    more = (*seat(case), *capital(case), *lacks(case, "hosting.extra_eu.parent_country"))
    return (*found, *(each for each in more if each.field not in said))


def third_party_access(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """EXT-03: a link of the chain outside the European Union has access; the chain must be declared."""
    links = enumerate(declared(case.tree, "hosting.subhosts") or ())
    nowhere = [f"hosting.subhosts[{link.get('name', index)}].country" for index, link in links if "country" not in link]
    unknown = [Finding("missing", "missing", field) for field in nowhere]
    outside = [each for each in access(case) if each.code == "immunity.subhost"]
    return (*found, *outside, *unknown, *lacks(case, "hosting.subhosts"))


def transfers(case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """RGPD-05: a remote access from outside the EEA rests on guarantees that are written."""
    field, written = "hosting.remote_access_countries", "hosting.remote_access_guarantees"
    if not any(each.field == field and each.outcome == "contrary" for each in found) or not declared(case.tree, field):
        return found
    value = find(case.tree, written)[0]
    if value.missing:
        other: tuple[Finding, ...] = (Finding("missing", "missing", written),)
    elif not value.value:
        return found
    else:
        path = str(value.value.get("file", ""))
        other = file_findings(case, f"{written}.file", path) or (Finding("holds", "file.read", written, path),)
    return (*(each for each in found if each.field != field), *other)


def software(name: str, case: Case, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """SW-01, SW-02: the version that is declared; left out, what the declared system ships may have ended already."""
    listed = declared(case.tree, "software") or ()
    items = [item for item in listed if _NAMES[name].fullmatch(str(item.get("name", "")).casefold())]
    if not items:
        return tuple(each for machine in find(case.tree, "machines[].os") for each in _shipped(case, name, machine))
    return tuple(each for item in items for each in _listed(case, name, item))


def _listed(case: Case, name: str, item: Mapping[str, Any]) -> tuple[Finding, ...]:
    field = f"software[{item['name']}].version"
    if not item.get("version"):
        return (Finding("missing", "missing", field),)
    return supported_at(case, Found(field, item["version"], {"name": name}), None)


def _shipped(case: Case, name: str, machine: Found) -> tuple[Finding, ...]:
    system = machine.value if isinstance(machine.value, Mapping) else {}
    version = case.ships(str(system.get("id")), str(system.get("version"))).get(name)
    if version is None:
        return (Finding("missing", "missing", "software[].version", words={"product": name}),)
    words = {"product": name, "version": version, "system": system["id"], "of": system["version"]}
    judged = supported_at(case, Found(f"{machine.name}.version", version, {"name": name}), None)[0]
    if judged.outcome != "holds":
        return (Finding(judged.outcome, judged.code, judged.field, version, words={**(judged.words or {}), **words}),)
    return (Finding("missing", "shipped", "software[].version", None, None, {**(judged.words or {}), **words}),)


def no_claim(case: Case) -> Finding | None:
    """EXT-01 does not apply where no qualification is claimed: immunity is then not established."""
    if claimed(case) is not False:
        return None
    bound = declared(case.tree, "establishment.kind") in STATE
    return Finding("holds", "no_claim.state" if bound else "no_claim", "hosting.certificates.snc")


def no_chain(case: Case) -> Finding | None:
    """HDS-16 does not apply to a host that stands on no other; the register may know one."""
    value = first(case.tree, "hosting.subhosts")
    if value is MISSING or value or _runs_on(case):
        return None
    return Finding("holds", "no_chain", "hosting.subhosts", value)


def own_copy(case: Case) -> Finding | None:
    """HDS-21 does not apply to a copy that the hospital keeps itself."""
    if not declared(case.tree, "backup.offsite") or first(case.tree, "backup.offsite.provider_id") is not None:
        return None
    return Finding("holds", "own_copy", "backup.offsite.provider_id")


def no_endpoint(case: Case) -> Finding | None:
    """CTR-14 does not apply where supervision sends nothing away."""
    if first(case.tree, "supervision.endpoint") is not None:
        return None
    return Finding("holds", "no_endpoint", "supervision.endpoint")


REVISED: Mapping[str, Revise] = {
    "RGPD-05": transfers,
    "HDS-01": number,
    "HDS-03": member,
    "HDS-05": period,
    "HDS-07": control_rows,
    "HDS-12": laws,
    "HDS-16": chain,
    "SNC-01": under_derogation,
    "SNC-04": claim_period,
    "SNC-05": claim_version,
    "SNC-12": derogation,
    "EXT-01": claim,
    "EXT-02": seat_and_capital,
    "EXT-03": third_party_access,
    "SW-01": partial(software, "postgresql"),
    "SW-02": partial(software, "ruby"),
}
EXCLUDED: Mapping[str, Exclude] = {
    "HDS-16": no_chain,
    "HDS-21": own_copy,
    "EXT-01": no_claim,
    "CTR-14": no_endpoint,
}
