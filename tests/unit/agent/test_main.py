"""What filaectl prints is text: a terminal obeys nothing of it, whichever command printed it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import machine_at

from filae_ops.agent import caller, main
from filae_ops.agent.commands import logs, maintenance, status
from filae_ops.agent.runtime import launcher
from filae_ops.agent.system import machine as machines
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction.journal import Journal

HOSTILE = "ERROR: \x1b[2K\x1b[1A\r\x9b2K\u202eno"
SPELT = r"ERROR: \u001b[2K\u001b[1A\u000d\u009b2K\u202eno"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Return what was printed, where nothing is to be obeyed."""
    captured = capsys.readouterr()
    assert not OBEYED.search(captured.out + captured.err)
    return captured.out, captured.err


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(caller, "forget", lambda: None)  # of the tests' own process


def status_that_raises(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def raising(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr(status, "print_status", raising)


@pytest.mark.parametrize(
    "error", [Failed(f"psql ended with status 2: {HOSTILE}"), Refused(f"psql ended with status 2: {HOSTILE}")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_refusal_that_quotes_psql_keeps_its_owner_and_next_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    status_that_raises(monkeypatch, error)
    assert main.main(["status"]) == 1
    _, err = printed(capsys)
    assert err.splitlines()[:2] == [f"filaectl: psql ended with status 2: {SPELT}", "  who acts: provider"]


def test_json_says_the_value_that_it_was(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status_that_raises(monkeypatch, Refused(HOSTILE))
    assert main.main(["status", "--json"]) == 1
    out, _ = printed(capsys)
    assert json.loads(out)["message"] == HOSTILE


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status_that_raises(monkeypatch, KeyError(0))
    assert main.main(["status"]) == 1
    assert printed(capsys)[1].endswith("KeyError: 0\n")
    status_that_raises(monkeypatch, RuntimeError(HOSTILE))
    assert main.main(["status"]) == 1
    _, err = printed(capsys)
    assert err.startswith("Traceback (most recent call last):\n")
    assert err.endswith(f"RuntimeError: {SPELT}\n")


def test_wrong_usage_is_quoted_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["deploy", "a", f"--{HOSTILE}"])
    assert ended.value.code == 2
    assert SPELT in printed(capsys)[1]


@pytest.mark.parametrize("words", [["journal"], ["journal", "--json"]], ids=" ".join)
def test_what_a_release_s_tools_said_is_shown_with_what_follows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str]
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(machines, "Machine", lambda: machine)
    journal = Journal(machine.layout.journal)
    journal.write("failed", tx="t", step="start", reason=HOSTILE, evidence={"frame": HOSTILE})
    journal.write("rolled-back", tx="t")
    assert main.main(words) == 0
    first, second = printed(capsys)[0].splitlines()
    if "--json" in words:
        assert json.loads(first)["reason"] == HOSTILE
    else:
        assert f"FAILED: {SPELT} [frame {SPELT}]" in first
        assert second.endswith("undone: what served before serves")


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """Have whoever runs filaectl live in a zone of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "XXX-13:37")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_times_are_the_machines_whatever_the_zone_of_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[datetime, datetime]] = []

    def on(machine: object, message: str | None, until: datetime, by: str) -> None:
        asked.append((until, datetime.now().astimezone()))

    monkeypatch.setattr(maintenance, "close", on)
    monkeypatch.setattr(maintenance, "current", lambda machine: None)
    assert main.main(["maintenance", "on", "--until", "22:00"]) == 0
    ((until, now),) = asked
    assert (until.hour, until.minute) == (22, 0)
    assert "XXX" not in (until.tzname(), now.tzname())


@pytest.mark.usefixtures("elsewhere")
def test_the_application_keeps_the_zone_that_its_release_states(monkeypatch: pytest.MonkeyPatch) -> None:
    zones: list[str | None] = []
    monkeypatch.setattr(launcher, "run", lambda *_: zones.append(os.environ.get("TZ")) or 7)
    assert main.main(["exec", "web", "--instance", "blue"]) == 7
    assert zones == ["XXX-13:37"]


@pytest.mark.parametrize("words", [["logs", "--follow"], ["logs", "--follow", "--json"]], ids=" ".join)
def test_what_the_application_writes_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    entry = json.dumps({"__REALTIME_TIMESTAMP": "1767225600123456", "_SYSTEMD_UNIT": "filae-web@blue.service",
                        "MESSAGE": "a\x1b[2J\x9b\u202eb"})  # fmt: skip
    monkeypatch.setattr(machines, "Machine", lambda: None)
    monkeypatch.setattr(logs, "argv", lambda *_, **__: ["printf", "%s\\n", entry])
    assert main.main(words) == 0
    out, _ = printed(capsys)
    if "--json" in words:
        assert json.loads(out)["message"] == "a\x1b[2J\x9b\u202eb"
    else:
        assert out == "00:00:00.123 web@blue: a\\u001b[2J\\u009b\\u202eb\n"
