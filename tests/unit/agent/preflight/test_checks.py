from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, FILES, machine_at, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.preflight import checks
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Live
from filae_ops.agent.system.process import Result

NEW = Contract(CONTRACT)


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (None, None),
        ("2.0.0", None),
        ("2.1.0", None),
        ("2.2.0", "lower than the live 2.2.0"),
        ("2.1.1-rc.1", "lower than"),
        ("1.9.9", "reached from 2.0.0"),
    ],
)
def test_versions_only_go_up_and_skip_no_stop(live: str | None, words: str | None) -> None:
    now = Live(live, "blue") if live else None
    if words is None:
        checks.only_upwards(NEW, now)
        return
    with pytest.raises(Refused, match=words):
        checks.only_upwards(NEW, now)


@pytest.mark.parametrize(
    ("environment", "signer", "refused"),
    [
        ("production", "demo", True),
        ("production", "demo-release", True),
        ("production", "provider", False),
        ("demo", "demo", False),
    ],
)
def test_production_refuses_the_demo_key(tmp_path: Path, environment: str, signer: str, refused: bool) -> None:
    machine, _ = machine_at(tmp_path, environment=environment)
    if not refused:
        checks.trusted(machine, signer)
        return
    with pytest.raises(Refused, match="demo key"):
        checks.trusted(machine, signer)


def test_other_content_under_the_live_version_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.1.0")
    checks.same_content(machine, {"contract": CONTRACT, "files": FILES})
    with pytest.raises(Refused, match="other content"):
        checks.same_content(machine, {"contract": CONTRACT, "files": [{"path": "x"}]})


def test_a_calendar_that_the_machine_does_not_read_is_refused(tmp_path: Path) -> None:
    said = Result(1, "", "Failed to parse calendar specification 'never': Invalid argument\n")
    machine, _ = machine_at(tmp_path, {"systemd-analyze calendar -- never": said})
    timers = {
        "prune": {"command": ["bin/x"], "calendar": "daily"},
        "purge": {"command": ["bin/x"], "calendar": "never"},
    }
    with pytest.raises(Refused, match=r"timers\.purge\.calendar: 'never'.*Failed to parse") as caught:
        checks.machine_ready(machine, Contract({**CONTRACT, "timers": timers}))
    assert caught.value.owner == "provider"
    assert "release.yml" in caught.value.next_step


def test_a_calendar_is_asked_for_as_one_word(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    timers = {"purge": {"command": ["bin/x"], "calendar": "Mon *-*-* 02:30 Europe/Paris"}}
    checks.calendars(machine, Contract({**CONTRACT, "timers": timers}))
    assert runner.argvs == [["systemd-analyze", "calendar", "--", "Mon *-*-* 02:30 Europe/Paris"]]


@pytest.mark.parametrize(
    ("words", "next_step"),
    [("sorry, too many clients already", "filaectl maintenance on, systemctl stop 'filae-web@*'"),
     ("the database system is starting up", "systemctl status postgresql")],
)  # fmt: skip
def test_a_database_that_does_not_answer_is_refused_with_the_way_out(
    tmp_path: Path, words: str, next_step: str
) -> None:
    machine, _ = machine_at(tmp_path, {"runuser": Result(2, "", f"psql: error: FATAL:  {words}")})
    contract = Contract({key: value for key, value in CONTRACT.items() if key not in ("ruby", "settings", "secrets")})
    with pytest.raises(Refused, match="PostgreSQL does not answer") as caught:
        checks.machine_ready(machine, contract)
    assert caught.value.next_step.startswith(next_step)
