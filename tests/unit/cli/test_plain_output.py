"""Nothing from outside hides what filae-ops says: it is spelt out, and who acts stands after it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from material.reviews import offline

from filae_ops import cli
from filae_ops.cli import logs, status
from filae_ops.inventory.reading import load as loading
from filae_ops.paths import data_path
from filae_ops.remote.connection import Answer
from filae_ops.remote.rollout import Target
from filae_ops.report.document.rendering import write_document
from filae_ops.verification import verify
from filae_ops.verification.verify import Report, verdicts

HOSTILE = "\x1b[2K\x1b[1A\r\x9b2K\u202eno"
SPELT = r"\u001b[2K\u001b[1A\u000d\u009b2K\u202eno"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the whole command line; nothing of its output is to be obeyed."""
    load = loading.load
    monkeypatch.setattr(loading, "load", lambda path, **_: load(path, reader=offline))
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["filae-ops", *words])
        code = cli.main()
        captured = capsys.readouterr()
        assert not OBEYED.search(captured.out + captured.err)
        return code, captured.out, captured.err

    return run


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what gives the one machine its answer."""

    def answer(*answers: Answer) -> None:
        waiting = iter(answers)

        def follow(_: list[str], show: Callable[[str], None]) -> Answer:
            given = next(waiting)
            for line in given.stdout.splitlines():
                show(line)
            return given

        @contextlib.contextmanager
        def connect(host: Any, _: object) -> Iterator[Any]:
            yield SimpleNamespace(host=host, run=lambda *_, **__: next(waiting), follow=follow)

        monkeypatch.setattr("filae_ops.remote.connection.connect", connect)
        host: Any = SimpleNamespace(name="v1")
        for command in (status, logs):
            monkeypatch.setattr(command, "targets_of", lambda _: [Target("v1", host, Path("/site"))])

    return answer


def test_a_key_of_an_inventory(run: Run, tmp_path: Path) -> None:
    site = Path(shutil.copytree(data_path("inventories", "demo"), tmp_path / "site"))
    with (site / "group_vars/all/site.yml").open("a") as stream:
        stream.write(r'"\x1b[2K\x1b[1A\r\x9b2K\u202eno": 1')
    code, out, err = run("-i", str(site), "review")
    assert (code, out) == (1, "")
    assert SPELT in err
    assert re.search(r"\n  who acts: \w+\n  next: ", err)


@pytest.mark.parametrize("name", [HOSTILE, "\udc9b"], ids=["sequences", "no UTF-8"])
@pytest.mark.parametrize(
    "words",
    [["-i", "{name}", "review"], ["-i", "{name}/hosts.yml", "provision"],
     ["bundle", "verify", "{name}", "--allowed-signers", "{name}"]],
    ids=["review", "provision", "bundle verify"],
)  # fmt: skip
def test_the_name_of_a_file(run: Run, words: list[str], name: str) -> None:
    code, out, err = run(*[word.format(name=f"/nowhere/{name}") for word in words])
    assert (code, out) == (1, "")
    assert (SPELT if name == HOSTILE else r"\udc9b") in err
    assert "\n  who acts: provider\n" in err


@pytest.mark.parametrize(
    "words",
    [["provision", f"--{HOSTILE}"], [HOSTILE], ["flows", "--lang", HOSTILE]],
    ids=["option", "command", "value"],
)
def test_wrong_usage(run: Run, words: list[str]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert re.search(r"\\(u00|x)1b\[2K\\(u00|x)1b\[1A\\\S+\\u202eno", err), "the parser spells some out itself"
    assert "Usage: filae-ops" in err


def test_the_traceback_of_a_bug(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(**_: object) -> int:
        raise RuntimeError(HOSTILE)

    monkeypatch.setattr(cli, "app", bug)
    code, out, err = run()
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith(f"RuntimeError: {SPELT}\n")


def test_what_another_library_prints(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "app", lambda **_: print(HOSTILE, file=sys.stderr))
    assert run() == (0, "", f"{SPELT}\n")


@pytest.mark.parametrize("words", [["status"], ["status", "--json"]], ids=" ".join)
def test_a_refusal_of_the_agent_that_quotes_psql(run: Run, answer: Callable[..., None], words: list[str]) -> None:
    refused = {"event": "refused", "message": f"psql: {HOSTILE}", "owner": "dsi", "next_step": "start PostgreSQL"}
    answer(Answer(1, json.dumps(refused), ""))
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err == f"filae-ops: v1: psql: {SPELT}\n  who acts: dsi\n  next: start PostgreSQL\n"


def test_an_agent_that_answers_anything(run: Run, answer: Callable[..., None]) -> None:
    answer(Answer(1, HOSTILE, f"{HOSTILE}\n"))
    code, _, err = run("status")
    assert code == 1
    assert SPELT in err
    assert "\n  who acts: provider\n" in err


STATUS = {
    "version": "2.1.0", "healthy": False, "problem": "front door: \x9b2K\x1b[1A no", "colour": "blue", "since": None,
    "deployed_by": None, "releases": [{"version": "\x9b8m2.1.0", "live": True}], "last_transaction": None,
    "stale": [], "maintenance": None, "safety_dumps": [], "lock": "\x1b]0;title\x07",
}  # fmt: skip


def test_the_status_of_a_machine(run: Run, answer: Callable[..., None]) -> None:
    answer(Answer(0, json.dumps(STATUS), ""), Answer(0, json.dumps(STATUS), ""))
    _, out, _ = run("status")
    assert out.splitlines()[1:] == [
        r"healthy       NO: front door: \u009b2K\u001b[1A no",
        r"releases      \u009b8m2.1.0",
        r"lock          \u001b]0;title\u0007",
    ]
    _, out, _ = run("status", "--json")
    assert json.loads(out) == STATUS


@pytest.mark.parametrize("as_json", [False, True])
def test_the_journal_of_a_machine(run: Run, answer: Callable[..., None], as_json: bool) -> None:
    event = {"event": "failed", "time": "2026-01-01T10:00:00", "step": "start", "reason": f"a{HOSTILE}"}
    answer(Answer(0, f"{json.dumps(event)}\n{json.dumps({'event': 'rolled-back', 'time': ''})}\n", ""))
    _, out, _ = run("journal", *(["--json"] if as_json else []))
    if as_json:
        assert json.loads(out)[0] == event
    else:
        assert r"FAILED: a\u001b[2K\u001b[1A" in out
        assert out.endswith("undone: what served before serves\n")


def test_the_application_s_logs(run: Run, answer: Callable[..., None]) -> None:
    answer(Answer(0, "web@blue: \x1b[2K\x9b\nweb@blue: after\n", ""))
    assert run("logs")[1] == "web@blue: \\u001b[2K\\u009b\nweb@blue: after\n"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_name_of_a_process_in_a_verification(run: Run, monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    error = f"[conceal]{HOSTILE} listens"
    row = {"id": "net-listening", "requirement": "NET-07", "host": "a", "status": "fail", "code": "not_measured",
           "values": {"error": error}}  # fmt: skip
    late = {"code": "late", "values": {"hours": 72, "declared": 24}}
    after = {**row, **late, "id": "backup-receipt", "requirement": "DSI-10"}
    monkeypatch.setattr(verify, "verify_inventory", lambda *_, **__: Report(verdicts([row, after])))
    code, out, _ = run("-i", "/site", "verify", *(["--json"] if as_json else []))
    assert code == 3
    if as_json:
        shown = json.loads(out)["checks"][0]
        assert shown["values"] == {"error": error}
        assert not OBEYED.search(shown["message"])
    else:
        assert f"[conceal]{SPELT}listens" in "".join(out.split())
        assert re.search(r"FAIL +backup-receipt \(DSI-10\) the last backup receipt is 72 h old", out)
        assert "who acts: dsi; next: look at the backup" in out


@pytest.mark.parametrize("name", ["page.html", "page.md"])
def test_a_document_that_people_cat(tmp_path: Path, name: str) -> None:
    write_document(tmp_path / name, f"before\n{HOSTILE}\n\tafter\n")
    assert (tmp_path / name).read_bytes().decode() == f"before\n{SPELT}\n\tafter\n"


def test_a_spreadsheet_keeps_its_ends_of_lines(tmp_path: Path) -> None:
    write_document(tmp_path / "flows.csv", f"a;b\r\n{HOSTILE};c\r\n")
    assert (tmp_path / "flows.csv").read_bytes().decode() == f"a;b\r\n{SPELT};c\r\n"
