"""Verdicts: owners from the register, the contract of --json, JUnit, and what a reader sees."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from filae_ops.cli import verify as command
from filae_ops.errors import OpsError
from filae_ops.paths import data_path
from filae_ops.register.lookup import requirement
from filae_ops.verification import pytest_run
from filae_ops.verification.junit import write_junit
from filae_ops.verification.verify import Report, verdicts

RECEIPT = {"hours": 72, "declared": 24}
ROWS = [
    {"id": "ssh-root", "requirement": "SSH-01", "host": "a", "status": "pass", "code": "holds", "values": {}},
    {"id": "backup-receipt", "requirement": "DSI-10", "host": "a", "status": "fail", "code": "late", "values": RECEIPT},
    {"id": "guest-tools", "requirement": "DSI-05", "host": "a", "status": "not_run", "code": "not_measured",
     "values": {"error": "no answer"}},
]  # fmt: skip


def report() -> Report:
    return Report(verdicts(ROWS))


def test_the_owner_comes_from_the_register():
    found = {each.id: each.owner for each in verdicts(ROWS)}
    assert found == {"ssh-root": "provider", "backup-receipt": "dsi", "guest-tools": "dsi"}


def test_a_code_without_words_is_our_fault_and_no_pass():
    for told in ({"code": "nothing such"}, {"values": {"hours": 72}}):
        (found,) = verdicts([{**ROWS[1], **told}])
        assert (found.status, found.owner) == ("not_run", "provider")
        assert "it is a fault of filae-ops" in found.next


def test_the_cause_says_who_acts_and_the_requirement_says_who_answers():
    closed = {**ROWS[1], "id": "flow-in-ssh", "requirement": "DSI-03", "code": "own_firewall",
              "values": {"port": 22, "place": "192.0.2.130"}}  # fmt: skip
    (found,) = verdicts([closed])
    assert (requirement("DSI-03").owner, found.owner) == ("dsi", "provider")


def test_with_several_machines_ids_carry_theirs():
    both = [*ROWS, *({**row, "host": "b"} for row in ROWS)]
    found = verdicts(both)
    assert {each.id for each in found} >= {"a:ssh-root", "b:ssh-root"}
    assert len({each.id for each in found}) == 6


@pytest.mark.parametrize(
    ("rows", "said"),
    [([], "no check ran"), ([*ROWS, ROWS[0]], "two checks"), ([{**ROWS[0], "requirement": "XX-99"}], "no requirement")],
)
def test_a_broken_suite_is_never_green(rows, said):
    with pytest.raises(OpsError, match=said):
        verdicts(rows)


KEYS = {"id", "requirement", "owner", "status", "code", "values", "message"}


def test_the_contract_of_json():
    document = report().document()
    assert document["summary"] == {"pass": 1, "fail": 1, "not_run": 1}
    assert document["by_owner"] == {
        "dsi": {"pass": 0, "fail": 1, "not_run": 1},
        "provider": {"pass": 1, "fail": 0, "not_run": 0},
    }
    assert [set(each) for each in document["checks"]] == [KEYS] * 3
    late = document["checks"][1]
    assert (late["code"], late["values"]) == ("late", RECEIPT)
    assert late["message"].startswith("the last backup receipt is 72 h old; declared: one every 24 h; next: dsi: ")


def test_junit(tmp_path):
    write_junit(report(), tmp_path / "out" / "verify.xml")
    suites = ElementTree.parse(tmp_path / "out" / "verify.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["verify.dsi", "verify.provider"]
    assert suites[0].get("failures") == "1"
    assert suites[0].get("skipped") == "1"
    failure = suites.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "the last backup receipt is 72 h old; declared: one every 24 h"
    assert "who acts: dsi" in str(failure.text)


def test_junit_is_xml_whatever_a_machine_says(tmp_path):
    hostile = "\x1b[2K\x9b\x00\ud800\uffff\u00a0é"
    told = {"code": "not_measured", "values": {"error": hostile}}
    rows = [{**row, **told, "host": f"{name}{hostile}"} for name in "ab" for row in ROWS]
    write_junit(Report(verdicts(rows)), tmp_path / "verify.xml")
    root = ElementTree.parse(tmp_path / "verify.xml").getroot()
    shown = "\\u001b[2K\\u009b\\u0000\\ud800\ufffd\u00a0é"
    assert {case.get("name") for case in root.iter("testcase")} == {
        f"{name}{shown}:{row['id']}" for name in "ab" for row in ROWS
    }
    said = {failure.get("message") for failure in root.iter("failure")}
    assert said == {f"could not be measured: {shown}"}


def test_failures_come_first_and_fit(monkeypatch, capsys):
    console = Console(width=80, record=True)
    monkeypatch.setattr(command, "out", console)
    long = {**ROWS[2], "id": "disk-space", "values": {"error": "/ is nearly full " * 12}}
    command.show(Report(verdicts([*ROWS, long])))
    text = console.export_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    assert text.index("backup-receipt") < text.index("guest-tools") < text.index("ssh-root")
    assert "who acts: dsi; next: look at the" in text


def test_the_reader_s_language(monkeypatch):
    console = Console(width=80, record=True)
    monkeypatch.setattr(command, "out", console)
    command.show(report(), "fr")
    text = console.export_text()
    assert all(len(line) <= 80 for line in text.splitlines())
    flat = " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())
    assert "ÉCHEC backup-receipt (DSI-10) le dernier reçu de sauvegarde date de 72 h" in flat
    assert "qui agit : DSI ; suite : examiner la sauvegarde" in flat
    assert "non mesuré guest-tools (DSI-05) mesure impossible : no answer" in flat
    assert not {"who", "acts", "next:", "fail", "pass"} & {*flat.split()}


def marks():
    """Return (file, function, documentation, id, requirement) of every host check, without running them."""
    for path in sorted(data_path("tests", "host").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                (decorator,) = node.decorator_list
                assert isinstance(decorator, ast.Call)
                name, needed = (ast.literal_eval(word) for word in decorator.args)
                yield path.name, node.name, ast.get_docstring(node), name, needed


def test_each_host_check_has_one_id_one_requirement_and_says_what_holds():
    found = list(marks())
    assert len(found) > 60
    ids = Counter(name for *_, name, _ in found)
    assert [name for name, times in ids.items() if times > 1] == []
    assert all(requirement(needed) for *_, needed in found)
    assert [name for _, _, text, name, _ in found if not text or not text.endswith(".")] == []


def test_the_dsi_s_duties_are_measured():
    needed = [each[-1] for each in marks()]
    owned = Counter(requirement(each).owner for each in needed)
    assert owned["dsi"] >= 10
    assert owned["provider"] >= 30
    assert {f"DSI-{number:02}" for number in range(1, 11)} <= set(needed)


def test_nothing_of_the_directory_it_is_called_from_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An inventory that somebody sent may hold any file: `verify` run beside it executes none."""
    (tmp_path / "pytest.py").write_text("raise SystemExit('it was loaded')\n")
    monkeypatch.chdir(tmp_path)
    argv = [*pytest_run.pytest_argv(), "--version"]
    done = subprocess.run(argv, env=pytest_run.environment(tmp_path), capture_output=True, text=True)
    assert "it was loaded" not in done.stderr
    assert done.returncode == 0, done.stderr
