"""After an update of Debian's packages: what is done about it, when it waits, and when it is not done again."""

from __future__ import annotations

import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import machine_at
from material.agent.installed import SPECS, package, provisioned

from filae_ops.agent.commands import attach, refresh, submit
from filae_ops.agent.release import apt
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.transaction.journal import Journal

ROLES = Path(__file__).parents[4] / "roles"


def test_nothing_changed_is_quick_silent_and_starts_no_ruby(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = provisioned(tmp_path)
    assert refresh.refresh(machine) == 0
    assert capsys.readouterr().out == "unchanged: all runs with what is installed\n"
    assert {argv[0] for argv in machine.runner.argvs} == {"systemctl"}  # type: ignore[attr-defined]
    assert refresh.refresh(machine, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "unchanged", "version": "2.1.0"}
    assert not machine.layout.journal.exists()


def test_a_refresh_is_asked_for_with_its_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = provisioned(tmp_path)
    package(tmp_path, "ruby-rack", f"{SPECS}/rack-3.1.20.gemspec", age=5)
    asked: list[Any] = []
    monkeypatch.setattr(submit, "carry_out", lambda machine, wanted, **how: asked.append(wanted) or 0)
    assert refresh.refresh(machine, operator="claire") == 0
    (wanted,) = asked
    assert (wanted.kind, wanted.version, wanted.from_version) == ("refresh", "2.1.0", "2.1.0")
    assert (wanted.colour, wanted.from_colour, wanted.mode) == ("blue", "green", "two")
    assert "ruby-rack" in wanted.why


def test_the_machine_s_own_unit_waits_for_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = provisioned(tmp_path)
    monkeypatch.setattr(refresh, "POLL", 0)
    answers = iter(["another program installs packages", "", "another program installs packages", "", ""])
    monkeypatch.setattr(apt, "busy", lambda machine: next(answers))
    refresh.wait_for_others(machine)
    assert next(answers, "all asked") == "all asked"
    monkeypatch.setattr(apt, "busy", lambda machine: "busy for ever")
    monkeypatch.setattr(refresh, "PATIENCE", -1)
    with pytest.raises(Refused, match="busy for ever"):
        refresh.wait_for_others(machine)


@pytest.mark.parametrize(
    ("outcome", "changed_since", "how"),
    [
        (None, False, ""),
        ("committed", False, "did not help"),
        ("committed", True, ""),
        ("rolled-back", False, "failed"),
        ("rolled-back", True, ""),
    ],
)
def test_a_refresh_that_changed_nothing_is_not_repeated_by_itself_until_packages_change(
    tmp_path: Path, outcome: str | None, changed_since: bool, how: str
) -> None:
    machine = provisioned(tmp_path)
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True, exist_ok=True)
    status.write_text("")
    moment = time.time() + (60 if changed_since else -60)
    os.utime(status, (moment, moment))
    if outcome:
        write = partial(Journal(machine.layout.journal).write, tx="t1")
        write("begin", kind="refresh", version="2.1.0")
        write(outcome)
    assert refresh.tried_already(machine) == how


def test_updates_of_packages_start_the_refresh() -> None:
    place = ROLES / "agent/templates"
    assert "PathChanged=/var/lib/dpkg/status" in (place / "filae-refresh.path.j2").read_text()
    assert "filaectl refresh --patient" in (place / "filae-refresh.service.j2").read_text()


@pytest.mark.parametrize(
    ("events", "at_work", "revived"),
    [
        ((), False, False),
        (("begin", "committed"), False, False),
        (("begin", "gave-up"), False, False),
        (("begin",), True, False),
        (("begin",), False, True),
    ],
)
def test_a_cut_transaction_that_nobody_recovers_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: tuple[str, ...], at_work: bool, revived: bool
) -> None:
    machine, runner = machine_at(tmp_path)
    monkeypatch.setattr(attach, "at_work", lambda machine: at_work)
    for event in events:
        Journal(machine.layout.journal).write(event, tx="t1")
    refresh.revive(machine)
    assert ("systemctl start --no-block filae-recover.service" in runner.lines()) is revived
