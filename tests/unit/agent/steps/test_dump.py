"""The dump before a migration: what it needs, when it is made, and how long it is kept."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from material.agent.databases import HOLDER, NEW, OLD, PLAN, Server, machine_with, of_kind

from filae_ops.agent.database import migration_check
from filae_ops.agent.preflight import capacity
from filae_ops.agent.steps import dump
from filae_ops.agent.steps.dump import Dump
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal


def test_the_disk_must_hold_the_dump_too(tmp_path: Path) -> None:
    machine, _ = machine_with(tmp_path, Server())
    change = migration_check.pending(machine, of_kind("expand"))
    assert capacity.dump_room(machine, change) == 1000
    assert capacity.dump_room(machine, None) == 0
    capacity.disk_room(100, 1300, 1000)
    with pytest.raises(Refused, match="database to dump"):
        capacity.disk_room(100, 1299, 1000)


def test_the_last_two_dumps_are_kept(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server())
    machine.layout.safety.mkdir(mode=0o700)
    for name in ("t0a", "t0b"):
        (machine.layout.safety / f"{name}.dump").write_text("")
    found = dict(Dump(machine, PLAN).do() or {})
    assert found["dump"] == str(machine.layout.safety / "t1.dump")
    assert [path.name for path in dump.dumps(machine)] == ["t0b.dump", "t1.dump"]
    dumped, proved = [line for line in runner.lines() if line.startswith("nice")]
    assert "pg_dump -Fc" in dumped
    assert proved.endswith("pg_restore -f /dev/null")


def test_a_dump_that_cannot_be_read_fails_and_goes(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server())
    runner.answers = {"nice -n 10 runuser -u postgres -- pg_restore": Result(1, "", "unexpected end"), **runner.answers}
    step = Dump(machine, PLAN)
    with pytest.raises(Failed, match="unexpected end"):
        step.do()
    step.undo()
    assert list(machine.layout.safety.iterdir()) == []


@pytest.mark.parametrize(("schema", "words"), [(NEW, "does not change"), ("", "no schema yet")])
def test_without_a_change_nothing_is_dumped(tmp_path: Path, schema: str, words: str) -> None:
    machine, runner = machine_with(tmp_path, Server(schema))
    assert words in str(Dump(machine, PLAN).do())
    assert not any("pg_dump" in line for line in runner.lines())


@pytest.mark.parametrize("migrated", [False, True])
def test_an_undone_update_keeps_its_dump_only_when_the_schema_moved(tmp_path: Path, migrated: bool) -> None:
    server = Server()
    machine, _ = machine_with(tmp_path, server)
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plans.as_fields(PLAN))
    step = Dump(machine, PLAN)
    write("done", step="dump", **dict(step.do() or {}))
    server.schema = NEW if migrated else OLD
    step.undo()
    assert bool(dump.dumps(machine)) is migrated


def test_a_dump_that_meets_a_lock_names_who_may_hold_it(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server(open=[HOLDER]))
    waited = "pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout"
    locked = Result(1, "", f"{waited}\npg_dump: detail: Query was: LOCK TABLE public.records IN ACCESS SHARE MODE")
    runner.answers = {"nice -n 10 runuser -u postgres -- pg_dump": locked, **runner.answers}
    with pytest.raises(Failed, match=r"held by pid 7211 \(wardreport\) of filae") as caught:
        Dump(machine, PLAN).do()
    assert "systemctl stop 'filae-web@*'" in caught.value.next_step
    assert "-c role=none " in next(line for line in runner.lines() if "pg_dump" in line)
