"""The judge: what is declared, the register and a day give one verdict for each requirement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from filae_ops.judge.case.case import Case, worst
from filae_ops.judge.case.proof_files import proofs
from filae_ops.judge.case.raci import rows
from filae_ops.judge.case.register import Register
from filae_ops.judge.case.tree import Found, Tree, find
from filae_ops.judge.case.verdict import EvidenceFile, Finding, Judgement, Status, Verdict
from filae_ops.judge.entrusted import KEPT
from filae_ops.judge.operators.comparisons import MAY_BE_EMPTY
from filae_ops.judge.operators.immunity import immunity
from filae_ops.judge.operators.table import ALONE, OPERATORS
from filae_ops.judge.scope import Scope, scope
from filae_ops.judge.special_rules import EXCLUDED, REVISED
from filae_ops.register.model import Evidence, Requirement

_BLOCKING = ("block", "claim_invalid")
_OF_OUTCOME: Mapping[str, Status] = {
    "expired": "gap",
    "missing": "to_document",
    "unsure": "to_confirm",
    "unmeasured": "to_confirm",
    "holds": "compliant",
}


def judge(
    declared: Tree,
    register: Register,
    day: dt.date,
    *,
    evidence: Mapping[str, EvidenceFile],
    certificates: Mapping[str, dt.date],
) -> Judgement:
    """Return what is concluded on `day` from what is declared; nothing else is read, and nothing is changed.

    `evidence` is what `read_evidence` gives, `certificates` the last day of each certificate by declared path.
    """
    matrix = rows(declared, register.duties)
    case = Case(declared, register, day, matrix, evidence, certificates)
    verdicts = tuple(verdict(case, requirement) for requirement in register.requirements.values())
    return Judgement(day, verdicts, immunity(case), matrix, evidence)


def verdict(case: Case, requirement: Requirement) -> Verdict:
    """Return what is known about one requirement."""
    if requirement.effective_from and requirement.effective_from > case.day:
        begins = {"begins": requirement.effective_from.isoformat()}
        return Verdict(requirement, "not_applicable", (Finding("holds", "not_in_force", words=begins),))
    found = scope(case, requirement)
    excluded = found.excluded or _excluded(case, requirement)
    kept = KEPT[requirement.id](case) if excluded and requirement.id in KEPT else ()
    if excluded and not kept:
        return Verdict(requirement, "not_applicable", (excluded,))
    findings = kept or found.missing or _findings(case, requirement, found)
    status, from_memory = _status(requirement, findings)
    return Verdict(requirement, status, findings, from_memory)


def _excluded(case: Case, requirement: Requirement) -> Finding | None:
    excludes = EXCLUDED.get(requirement.id)
    return excludes(case) if excludes else None


def _findings(case: Case, requirement: Requirement, found: Scope) -> tuple[Finding, ...]:
    findings = tuple(
        finding
        for evidence in requirement.declared
        for value in find(case.tree, evidence.field)
        if found.holds(value.name)
        for finding in _evidence(case, evidence, value)
    )
    if revise := REVISED.get(requirement.id):
        findings = revise(case, findings)
    if findings:
        return tuple(each for index, each in enumerate(findings) if each not in findings[:index])
    outcome = "unmeasured" if requirement.observed_fr else "unsure"
    return (Finding(outcome, outcome),)  # type: ignore[arg-type]


def _evidence(case: Case, evidence: Evidence, found: Found) -> tuple[Finding, ...]:
    wanted = list(evidence.value) if isinstance(evidence.value, tuple) else evidence.value
    if found.value is None and found.name in MAY_BE_EMPTY:
        found = replace(found, value=[])
    if evidence.op not in ALONE:
        if found.missing:
            return (Finding("missing", "missing", found.name, None, wanted),)
        if found.value is None and not (evidence.op == "eq" and wanted is False):
            return (Finding("contrary", "none", found.name, None, wanted),)
    findings = OPERATORS[evidence.op](case, found, wanted)
    return (*findings, *proofs(case, found))


def _status(requirement: Requirement, findings: tuple[Finding, ...]) -> tuple[Status, bool]:
    outcome = worst(findings)
    if requirement.severity == "ask_legal":
        return "legal_question", False
    if outcome == "contrary":
        return ("non_compliant" if requirement.severity in _BLOCKING else "gap"), False
    if outcome == "holds" and requirement.confidence == "from-memory":
        return "to_confirm", True
    return _OF_OUTCOME[outcome], False
