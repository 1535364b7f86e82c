"""What runs: exactly the timers of the release, and never a colour that was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.system.process import Failed, Result

NEW = Contract(CONTRACT)


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
