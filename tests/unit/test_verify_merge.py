"""What is declared beside what is measured: the merged verdict, and when the two disagree."""

from __future__ import annotations

import pytest

from filae_ops.judge.verdict import Finding, Verdict
from filae_ops.merge import Merged, merge
from filae_ops.register.load import requirement
from filae_ops.verify import Report
from filae_ops.verify import Verdict as Check

HOLDS = Finding("holds", "eq", "backup.interval_hours", 24)
CONTRARY = Finding("contrary", "lte", "backup.interval_hours", 200, 24)
EXPIRED = Finding("expired", "after", "backup.until", "2020-01-01")
MISSING = Finding("missing", "missing", "backup.interval_hours")
UNSURE = Finding("unsure", "confirm", "backup.interval_hours", 24)
UNMEASURED = Finding("unmeasured", "unmeasured")


def declared(status, *findings, block=False, confidence="seen-official", **more):
    changes = {"severity": "block" if block else "major", "confidence": confidence}
    return Verdict(requirement("DSI-10").model_copy(update=changes), status, findings, **more)


def checks(results):
    """Return one check for each letter: p(ass), f(ail), n(ot run), o: no object here."""
    words = {"p": "pass", "f": "fail", "n": "not_run", "o": "not_run"}
    return tuple(
        Check(f"c{n}", "DSI-10", "dsi", words[letter], "said", no_object=letter == "o")
        for n, letter in enumerate(results)
    )


@pytest.mark.parametrize(
    ("verdict", "results", "status", "disagrees"),
    [
        (declared("compliant", HOLDS), "p", "compliant", False),
        (declared("compliant", HOLDS), "po", "compliant", False),
        (declared("compliant", HOLDS), "pn", "to_confirm", False),
        (declared("compliant", HOLDS), "n", "to_confirm", False),
        (declared("compliant", HOLDS), "o", "to_confirm", False),
        (declared("compliant", HOLDS), "pf", "gap", True),
        (declared("compliant", HOLDS, block=True), "pf", "non_compliant", True),
        (declared("compliant", HOLDS, block=True), "fn", "non_compliant", True),
        (declared("to_confirm", HOLDS, from_memory=True), "p", "to_confirm", False),
        (declared("to_confirm", HOLDS, UNSURE), "f", "gap", True),
        (declared("gap", HOLDS, CONTRARY), "p", "gap", True),
        (declared("non_compliant", CONTRARY, block=True), "p", "non_compliant", True),
        (declared("non_compliant", CONTRARY, block=True), "f", "non_compliant", False),
        (declared("gap", EXPIRED), "pn", "gap", True),
        (declared("gap", EXPIRED), "n", "gap", False),
        (declared("gap", EXPIRED, block=True), "f", "non_compliant", False),
        (declared("to_document", MISSING), "p", "to_document", False),
        (declared("to_document", MISSING), "f", "gap", False),
        (declared("to_document", MISSING, HOLDS), "f", "gap", False),
        (declared("to_confirm", UNMEASURED), "p", "compliant", False),
        (declared("to_confirm", UNMEASURED), "pn", "to_confirm", False),
        (declared("to_confirm", UNMEASURED), "n", "to_confirm", False),
        (declared("to_confirm", UNMEASURED), "f", "gap", False),
        (declared("to_confirm", UNMEASURED, confidence="from-memory"), "p", "to_confirm", False),
        (declared("legal_question", UNSURE), "p", "legal_question", False),
        (declared("not_applicable", HOLDS), "n", "not_applicable", False),
        (declared("not_applicable", HOLDS), "f", "gap", False),
        (declared("not_applicable", Finding("holds", "not_in_force")), "f",
         "not_applicable", False),
    ],
)  # fmt: skip
def test_the_merged_verdict(verdict, results, status, disagrees):
    merged = Merged(verdict, checks(results))
    assert (merged.status, merged.disagrees) == (status, disagrees)


def test_only_requirements_with_checks_are_merged_failures_first(monkeypatch):
    from types import SimpleNamespace

    other = Verdict(requirement("DSI-01"), "compliant", (HOLDS,))
    judgement = SimpleNamespace(verdicts=(other, declared("compliant", HOLDS)))
    (merged,) = merge(judgement, checks("pnf"))
    assert [each.status for each in merged.checks] == ["fail", "not_run", "pass"]
    assert merged.contradiction == ["c2: said"]


def test_nothing_measured_is_better_than_before(monkeypatch):
    """A measure that is missing never makes a verdict better, whatever was declared."""
    for verdict in (declared("to_document", MISSING), declared("gap", CONTRARY), declared("legal_question", UNSURE)):
        assert Merged(verdict, checks("n")).status == verdict.status


def test_the_part_of_one_owner_keeps_its_requirements():
    merged = (Merged(declared("compliant", HOLDS), checks("f")),)
    report = Report(checks("f"), merged=merged, about={"site": "chv"})
    assert report.of("dsi").disagreements == merged
    assert report.of("provider").merged == ()
    assert report.of("provider").about == {"site": "chv", "only": "provider"}
