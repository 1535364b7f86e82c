"""The commands of filaectl around a transaction: who may start one, how it ends, what is told of it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import machine_at, make_live

from filae_ops.agent import main
from filae_ops.agent.commands import attach, deploy, perform, recover, rollback, status, submit
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.steps import catalogue
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction import lock, plan
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

PLAN = Plan("t1", "deploy", "2.1.0", "blue", "/b", "0" * 64, "provider", "claire")


def test_a_held_lock_is_refused_with_its_holder(tmp_path: Path) -> None:
    held = Result(0, "ActiveState=active\nDescription=provision from pc by luc\n")
    machine, _ = machine_at(tmp_path, {"systemctl show filae-transaction": held})
    with pytest.raises(Refused, match="provision from pc by luc"):
        deploy.deploy(machine, tmp_path / "b")
    assert lock.wait_free(machine, 0) == "provision from pc by luc"


def test_an_open_transaction_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    Journal(machine.layout.journal).write("begin", tx="t0", kind="deploy", version="2.0.0")
    with pytest.raises(Refused, match=r"t0 .* has not ended"):
        deploy.deploy(machine, tmp_path / "b")


@pytest.mark.parametrize("refused", [{}, {"operator": "a b"}])
def test_a_delivery_that_is_refused_is_not_kept(tmp_path: Path, refused: dict[str, Any]) -> None:
    machine, _ = machine_at(tmp_path)
    if not refused:
        Journal(machine.layout.journal).write("begin", tx="t0", kind="deploy", version="2.0.0")
    bundle = machine.layout.incoming / "b.tar.zst"
    for path in (bundle, Path(f"{bundle}.sig")):
        path.touch()
    with pytest.raises(Refused):
        deploy.deploy(machine, bundle, **refused)
    assert list(machine.layout.incoming.iterdir()) == []


def test_output_that_nobody_would_wait_for_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="--detach waits for none"):
        deploy.deploy(machine_at(tmp_path)[0], tmp_path / "b", unsafe_logs=True, detach=True)


def test_what_a_transaction_that_was_cut_after_its_end_kept_goes(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    kept, journal = machine.layout.requests, Journal(machine.layout.journal)
    for name, end in (("ended", "committed"), ("open", "undo")):
        bundle = machine.layout.incoming / f"{name}.tar.zst"
        bundle.touch()
        asked = replace(PLAN, id=name, bundle=str(bundle))
        plan.save(machine, asked)
        journal.write("begin", tx=name, **plan.as_fields(asked))
        journal.write(end, tx=name)
        (kept / f"{name}.nginx").mkdir()
    for name, age in (("old", 2 * plan.OLD), ("new", 0)):
        path = kept / f"{name}.json"
        path.write_text("{}")
        os.utime(path, (time.time() - age,) * 2)
    plan.sweep(machine, journal.read())
    assert {path.name for path in kept.iterdir()} == {"open.json", "open.nginx", "new.json"}
    assert [path.name for path in machine.layout.incoming.iterdir()] == ["open.tar.zst"]


def test_output_that_nobody_saw_is_not_shown_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(perform, "_die_on_stop", lambda: None)
    machine.layout.private.mkdir(parents=True)
    (machine.layout.private / "unsafe.log").write_text("a name")
    perform.perform(machine, "t1")
    assert not (machine.layout.private / "unsafe.log").exists()


def test_a_tool_that_fails_is_told_as_a_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*arguments: object, **options: object) -> int:
        raise Failed("`runuser -u postgres` ended with status 2: no server")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(rollback, "rollback", failing)
    assert main.main(["rollback", "--json"]) == 1
    assert "no server" in json.loads(capsys.readouterr().out)["message"]


def test_two_at_once_the_second_is_told_who(tmp_path: Path) -> None:
    shown = iter([Result(0, "ActiveState=active\nDescription=filaectl deploy 2.1.0 by luc\n")])
    answers = {
        "systemd-run": Result(1, "", "already loaded"),
        "systemctl show": lambda argv, stdin: next(shown),
    }
    machine, _ = machine_at(tmp_path, answers)
    with pytest.raises(Refused, match="by luc"):
        submit.start(machine, PLAN)
    assert list(machine.layout.requests.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "x" * 65, "$(id)", "é\n"])
def test_an_operator_has_a_plain_name(tmp_path: Path, name: str) -> None:
    machine, _ = machine_at(tmp_path)
    with pytest.raises(Refused, match="not a name"):
        deploy.deploy(machine, tmp_path / "b", operator=name)


def test_a_plan_survives_the_journal(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    plan.save(machine, PLAN)
    assert plan.load(machine, "t1") == PLAN
    event = Journal(machine.layout.journal).write("begin", tx="t1", **plan.as_fields(PLAN))
    assert plan.from_mapping(event) == PLAN


def test_a_request_that_is_no_longer_true_is_refused_under_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(perform, "_die_on_stop", lambda: None)
    plan.save(machine, PLAN)
    make_live(machine, "2.0.5", "green")
    assert perform.perform(machine, "t1") == 0
    (event,) = Journal(machine.layout.journal).read()
    assert event["event"] == "refused"
    assert "2.0.5" in event["reason"]


def test_the_steps_have_names_and_the_pivot_is_one_of_them() -> None:
    names = [step.name for step in catalogue.DEPLOY]
    assert len(set(names)) == len(names)
    assert catalogue.PIVOT in names
    assert names.index("migrate") < names.index("setup") < names.index("start") < names.index("switch")


def test_after_three_tries_it_gives_up_and_leaves_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(perform, "_die_on_stop", lambda: None)
    monkeypatch.setattr(proof, "front_door", lambda *a, **k: "down")
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plan.as_fields(PLAN))
    for attempt in (1, 2, 3):
        write("recover", attempt=attempt)
    (machine.layout.nginx / "live.conf").write_text("before")
    assert perform.recover(machine, "t1") == 0
    assert Journal(machine.layout.journal).read()[-1]["event"] == "gave-up"
    assert "return 503" in (machine.layout.nginx / "live.conf").read_text()
    found = status.status(machine)
    assert found["healthy"] is False
    assert found["last_transaction"]["outcome"] == "gave-up"
    with pytest.raises(Refused, match="neither finished nor undone"):
        recover.recover(machine)


def test_recover_has_nothing_to_do_after_an_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, runner = machine_at(tmp_path)
    assert recover.recover(machine) == 0
    assert "nothing to recover" in capsys.readouterr().out
    assert not any(line.startswith("systemd-run") for line in runner.lines())


def test_attach_prints_until_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, _ = machine_at(tmp_path)
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plan.as_fields(PLAN))
    write("step", step="stage")
    write("done", step="stage", seconds=1.25)
    write("failed", step="start", reason="the new release is not healthy", evidence={"exception": "LoadError"})
    write("undone", step="stage")
    write("rolled-back")
    assert attach.attach(machine, as_json=False) == 1
    text = capsys.readouterr().out
    assert "deploy nothing -> 2.1.0 (blue)" in text
    assert "stage      done in 1.2 s" in text
    assert "FAILED: the new release is not healthy [exception LoadError]" in text
    assert attach.attach(machine, as_json=True) == 1
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["begin", "step", "done", "failed", "undone", "rolled-back"]


def test_a_cut_transaction_that_nobody_recovers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(attach, "SILENCE", 0.2)
    Journal(machine.layout.journal).write("begin", tx="t1", **plan.as_fields(PLAN))
    with pytest.raises(Refused, match="nothing recovers it"):
        attach.follow(machine, "t1", as_json=True)


def test_changing_commands_need_root(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main.main(["status", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["event"], said["next_step"]) == ("refused", "sudo filaectl status")


def test_a_machine_that_is_not_provisioned_is_told(tmp_path: Path) -> None:
    machine = Machine(Layout(tmp_path))
    with pytest.raises(Refused, match="not provisioned"):
        _ = machine.config
