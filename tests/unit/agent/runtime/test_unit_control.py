"""What runs: exactly the timers of the release, and never a colour that was stopped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, Result, Runner

NEW = Contract(CONTRACT)
ROLES = Path(__file__).parents[4] / "roles"


def test_timers_are_exactly_those_of_the_release(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    old = machine.layout.units / "filae-timer@old.timer"
    old.write_text("")
    assert unit_control.set_timers(machine, NEW) == ["prune"]
    assert not old.exists()
    assert "systemctl disable --now --quiet filae-timer@old.timer" in runner.lines()
    assert "OnCalendar=daily" in (machine.layout.units / "filae-timer@prune.timer").read_text()
    assert unit_control.set_timers(machine, None) == []
    assert not list(machine.layout.units.glob("filae-timer*"))


def test_a_stopped_colour_cannot_be_woken(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path, {"systemctl show": Result(0, "ActiveState=inactive\n")})
    unit_control.stop_web(machine, "green")
    assert not any(line.startswith("systemctl kill") for line in runner.lines())
    assert "systemctl stop filae-web@green.socket filae-web@green.service" in runner.lines()
    assert "systemctl disable --quiet --no-reload filae-web@green.socket filae-web@green.service" in runner.lines()


def test_a_colour_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    answers = {"systemctl show": Result(0, "ActiveState=deactivating\n")}
    machine, runner = machine_at(tmp_path, answers, timings={"stop": 0.1})
    unit_control.stop_web(machine, "green")
    assert "systemctl kill --signal=KILL filae-web@green.service" in runner.lines()


def test_a_worker_that_does_not_stop_is_killed_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = "filae-worker@worker-green.service"
    answers = {
        "systemctl list-units": Result(0, f"{unit} loaded active running\n"),
        "systemctl show": Result(0, "ActiveState=deactivating\n"),
        f"systemctl stop {unit}": Result(124, "", "no answer in 120 s"),
    }
    machine, runner = machine_at(tmp_path, answers)
    monkeypatch.setattr(unit_control, "JOB", 0.1, raising=False)
    unit_control.stop_workers(machine, "green")
    lines = [line for line in runner.lines() if line.startswith(("systemctl stop", "systemctl kill"))]
    assert lines == [
        f"systemctl stop --no-block {unit}", f"systemctl kill --signal=KILL {unit}", f"systemctl stop {unit}",
    ]  # fmt: skip


def test_a_worker_has_as_long_for_its_job_as_its_unit_gives_it() -> None:
    text = (ROLES / "app/templates/filae-worker@.service.j2").read_text()
    assert f"\nTimeoutStopSec={unit_control.JOB:g}\n" in text


def test_what_starts_at_boot_is_on_the_disk_before_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut would start both colours and the workers of both, where /etc has a disk of its own."""
    machine, runner = machine_at(tmp_path, {"systemctl show": Result(0, "ActiveState=inactive\n")})
    wants = machine.layout.units / "filae.target.wants"
    wants.mkdir()
    (wants / "filae-worker@worker-green.service").touch()
    seen: list[str] = []
    monkeypatch.setattr(
        unit_control.durable, "sync_directory", lambda path: seen.append(runner.argvs[-1][1] + path.name)
    )
    unit_control.stop_web(machine, "green")
    unit_control.stop_workers(machine, "green")
    unit_control.enable(machine, "filae-web@blue.service")
    assert [each for each in seen if each.endswith(wants.name)] == [
        f"{word}filae.target.wants" for word in ("disable", "disable", "enable")
    ]


@pytest.mark.parametrize("name", ["x\nExecStartPre=+/bin/x", "../../cron.d/x", "a b", "a@b", "%n", "", "-x", "a/b"])
def test_a_name_that_is_none_becomes_no_unit_and_no_file(tmp_path: Path, name: str) -> None:
    machine, runner = machine_at(tmp_path)
    timers = Contract({**CONTRACT, "timers": {name: {"command": ["bin/x"], "calendar": "daily"}}})
    workers = Contract({**CONTRACT, "processes": {"web": ["bin/web"], name: ["bin/x"]}})
    for call in (lambda: unit_control.set_timers(machine, timers),
                 lambda: unit_control.start_workers(machine, workers, "blue"),
                 lambda: unit_control.prepare_web(machine, NEW, name)):  # fmt: skip
        with pytest.raises(Failed, match="systemd cannot be given"):
            call()
    assert list(machine.layout.units.iterdir()) == list(machine.layout.colours.iterdir()) == []
    assert runner.argvs == []


class LoudJournal(Runner):
    """A journal that never ends saying what the application wrote."""

    def run(self, argv: Sequence[str], **options: Any) -> Result:
        if argv[0] == "systemctl":
            return Result(0, "Result=exit-code\nExecMainStatus=1\nInvocationID=0123\n")
        assert {"--namespace=filae", "_SYSTEMD_INVOCATION_ID=0123"} <= set(argv)
        return super().run(["sh", "-c", "yes '/opt/x.rb:1:in f: Dupont (ActiveRecord::RecordInvalid)'"], **options)


def test_a_start_s_log_as_long_as_you_like_holds_the_lock_for_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_control, "LOOK", 0.5)
    machine = Machine(Layout(tmp_path), LoudJournal())
    began = time.monotonic()
    found = unit_control.evidence(machine, "filae-web@blue.service")
    assert time.monotonic() - began < 5
    assert (found["result"], found["status"]) == ("exit-code", "1")


def test_of_a_start_s_log_the_end_is_read(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    class Journal(Runner):
        def run(self, argv: Sequence[str], **options: Any) -> Result:
            asked.append({"argv": argv, **options})
            return Result(0, "InvocationID=0123\n" if argv[0] == "systemctl" else "/opt/x.rb:1:in f: no (A::BError)\n")

    found = unit_control.evidence(Machine(Layout(tmp_path), Journal()), "filae-web@blue.service")
    assert found["exception"] == "A::BError"
    assert asked[-1]["most"] <= 64 * 1024
    assert asked[-1]["timeout"] <= 5
