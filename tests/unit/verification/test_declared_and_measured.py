"""What is declared beside what is measured: the merged verdict, and when the two disagree."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from filae_ops.judge.case.verdict import Finding, Verdict
from filae_ops.register.lookup import requirement
from filae_ops.verification.declared_and_measured import Merged, merge
from filae_ops.verification.results import Verdict as Check
from filae_ops.verification.verify import Report

HOLDS = Finding("holds", "eq", "backup.interval_hours", 24)
CONTRARY = Finding("contrary", "lte", "backup.interval_hours", 200, 24)
EXPIRED = Finding("expired", "after", "backup.until", "2020-01-01")
MISSING = Finding("missing", "missing", "backup.interval_hours")
UNSURE = Finding("unsure", "confirm", "backup.interval_hours", 24)
UNMEASURED = Finding("unmeasured", "unmeasured")


def declared(status, *findings, block=False, confidence="seen-official", **more):
    changes = {"severity": "block" if block else "major", "confidence": confidence}
    return Verdict(requirement("DSI-10").model_copy(update=changes), status, findings, **more)


CODES = {"p": ("holds", {}), "f": ("late", {"hours": 72, "declared": 24})}
CODES |= {"n": ("not_measured", {"error": "no answer"}), "o": ("undeclared", {})}


def checks(results):
    """Return one check for each letter: p(ass), f(ail), n(ot run), o: no object here."""
    words = {"p": "pass", "f": "fail", "n": "not_run", "o": "not_run"}
    return tuple(
        Check(f"h{n}:backup-receipt", "DSI-10", "dsi", words[letter], *CODES[letter], no_object=letter == "o")
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


def test_only_requirements_with_checks_are_merged_failures_first():
    other = Verdict(requirement("DSI-01"), "compliant", (HOLDS,))
    judgement = SimpleNamespace(verdicts=(other, declared("compliant", HOLDS)))
    (merged,) = merge(judgement, checks("pnf"), {})
    assert [each.status for each in merged.checks] == ["fail", "not_run", "pass"]
    assert merged.contradiction("en") == [
        "h2:backup-receipt: the last backup receipt is 72 h old; declared: one every 24 h"
    ]


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


@pytest.mark.parametrize(("results", "disagrees"), [("f", True), ("p", False), ("n", False)])
def test_a_rule_that_only_a_measure_proves_is_compared_with_what_is_declared(results, disagrees):
    """Declared daily, last receipt three days old: the rule asks for no declaration, the check knows the field."""
    judgement = SimpleNamespace(verdicts=(declared("to_confirm", UNMEASURED),))
    mine = [replace(each, against=("backup.interval_hours", "backup.until")) for each in checks(results)]
    (merged,) = merge(judgement, mine, {"backup": {"interval_hours": 24}})
    assert merged.disagrees is disagrees
    assert "24" in merged.reason("fr")
    said = merged.document()["declared"]
    assert said["status"] == "to_confirm"
    assert "24" in said["reason"]
    assert merge(judgement, checks(results), {})[0].document()["declared"] is None
    assert not merge(judgement, mine, {})[0].disagrees, "what nobody declared contradicts nothing"


def test_disagreements_are_shown_first(monkeypatch):
    from rich.console import Console

    from filae_ops.cli import verify as command

    console = Console(width=80, record=True)
    monkeypatch.setattr(command, "out", console)
    found = checks("pf")
    command.show(Report(found, merged=(Merged(declared("compliant", HOLDS), found),)))
    text = console.export_text()
    assert text.index("contradicts the inventory") < text.index("declared:") < text.index("found:") < text.index("FAIL")
    assert all(len(line) <= 80 for line in text.splitlines())
    console = Console(width=80, record=True)
    monkeypatch.setattr(command, "out", console)
    command.show(Report(found, merged=(Merged(declared("to_document", MISSING), found),)))
    assert "contradicts" not in console.export_text()
