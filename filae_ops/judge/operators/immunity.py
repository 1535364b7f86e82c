"""Extra-European law: the decision table, for the exact service. Nothing is immune by default."""

from __future__ import annotations

from collections.abc import Iterator

from filae_ops.judge.case.case import THIRD_PARTIES, Case, lacks, worst
from filae_ops.judge.case.tree import declared
from filae_ops.judge.case.verdict import Finding, ImmunityVerdict
from filae_ops.judge.operators.comparisons import rank
from filae_ops.judge.operators.qualification import claimed, qualification

EXTRA = "hosting.extra_eu"
QUALIFIED, SEAT, CAPITAL, ACCESS, NONE = 2, 3, 4, 5, 6
"""Steps of the decision table, after that of the hospital itself."""


def immunity(case: Case) -> ImmunityVerdict:
    """Return what the decision table concludes, at which step, and why."""
    if case.model and case.model not in THIRD_PARTIES:
        own = Finding("holds", "immunity.own", "hosting.model", case.model)
        return ImmunityVerdict("not_applicable", 1, (own,))
    claim = claim_findings(case)
    if worst(claim) == "holds":
        return ImmunityVerdict("immune", QUALIFIED, claim)
    for step, against in ((SEAT, seat), (CAPITAL, capital), (ACCESS, access)):
        if found := tuple(against(case)):
            return ImmunityVerdict("not_immune", step, found)
    if worst(claim) in ("expired", "unsure"):
        return ImmunityVerdict("not_established", QUALIFIED, claim)
    return ImmunityVerdict("not_established", NONE, (*claim, *_open(case)))


def claim_findings(case: Case) -> tuple[Finding, ...]:
    """Return what speaks for or against the qualification that is claimed; a service that claims none lacks it."""
    said = claimed(case)
    if said is None:
        return (Finding("missing", "missing", "hosting.certificates.snc"),)
    if not said:
        return (Finding("contrary", "snc.none", "hosting.certificates.snc"),)
    return qualification(case)


def seat(case: Case) -> Iterator[Finding]:
    """Yield each head office outside the European Union: what is declared, what the register knows."""
    yield from _outside(case, "hq_country", "seat")


def capital(case: Case) -> Iterator[Finding]:
    """Yield what gives control to entities from outside the European Union."""
    yield from _outside(case, "parent_country", "parent")
    table = next(each for each in case.register.immunity if each.step == CAPITAL)
    for key, limit in (("individual_pct", table.individual_pct), ("collective_pct", table.collective_pct)):
        field = f"{EXTRA}.non_eu_{key}"
        share = rank(declared(case.tree, field))
        if limit is not None and share is not None and share > (limit,):
            yield Finding("contrary", "immunity.share", field, declared(case.tree, field), limit)
    if declared(case.tree, f"{EXTRA}.veto_or_board") is True:
        yield Finding("contrary", "immunity.veto", f"{EXTRA}.veto_or_board", True, False)


def access(case: Case) -> Iterator[Finding]:
    """Yield each third party from outside the European Union that can obtain the data."""
    field = f"{EXTRA}.non_eu_subcontractor_access"
    if declared(case.tree, field) is True:
        yield Finding("contrary", "immunity.access", field, True, False)
    for index, each in enumerate(declared(case.tree, "hosting.subhosts") or ()):
        country = each.get("country")
        if country and country not in case.zone("EU"):
            name = f"hosting.subhosts[{each.get('name', index)}].country"
            yield Finding("contrary", "immunity.subhost", name, country, "EU")


def _outside(case: Case, key: str, code: str) -> Iterator[Finding]:
    for who, country in case.countries_of(key).items():
        if country not in case.zone("EU"):
            host = case.host.name if case.host else ""
            words = {"host": host, "parent": (case.host.parent if case.host else "") or host}
            yield Finding("contrary", f"immunity.{code}.{who}", f"{EXTRA}.{key}", country, "EU", words)


def _open(case: Case) -> tuple[Finding, ...]:
    """Return what would have to be declared for the table to be answered whole."""
    keys = (
        "hq_country", "parent_country", "non_eu_individual_pct", "non_eu_collective_pct", "veto_or_board",
        "non_eu_subcontractor_access",
    )  # fmt: skip
    return lacks(case, "hosting.host_id", "hosting.service_id", *(f"{EXTRA}.{key}" for key in keys))
