"""How a migration runs: how it meets a lock, what is looked at before and after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from material.agent.databases import HOLDER, NEW, OLD, PLAN, Server, machine_with

from filae_ops.agent.steps.migrate import Migrate
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction import engine
from filae_ops.agent.transaction.plan import Plan


def locked(times: int, server: Server) -> Callable[..., Result]:
    """Return a migration that meets a lock so many times, then brings the schema about."""
    runs = iter(range(1, 100))

    def run(argv: Sequence[str], stdin: str | None) -> Result:
        if next(runs) <= times:
            said = "StandardError: An error has occurred\n\nCaused by:\nActiveRecord::LockWaitTimeout: PG: Dupont\n"
            return Result(1, "", said)
        server.schema = NEW
        return Result(0)

    return run


@pytest.mark.parametrize("times", [0, 1, 5])
def test_a_migration_that_meets_a_lock_is_tried_again(tmp_path: Path, times: int) -> None:
    server, noted = Server(), []
    machine, runner = machine_with(tmp_path, server, locked(times, server), timings={"lock_wait": 0.001})
    step = Migrate(machine, PLAN, lambda event, **fields: noted.append((event, fields["attempt"], fields["seconds"])))
    found = dict(step.do() or {})
    assert found == {"schema_version": NEW, "kind": "expand", **({"retries": times} if times else {})}
    assert noted == [("waiting", n + 1, 0.001 * 2**n) for n in range(times)]
    assert sum("--unit=filae-run-migrate" in line for line in runner.lines()) == times + 1


def test_after_five_more_tries_it_fails_and_says_who_was_there(tmp_path: Path) -> None:
    server = Server()
    machine, _ = machine_with(tmp_path, server, locked(6, server), timings={"lock_wait": 0.001})

    def open_later(event: str, **_: Any) -> None:
        server.open = [HOLDER]

    with pytest.raises(Failed, match="lock 6 times: it may be held by pid 7211") as caught:
        Migrate(machine, PLAN, open_later).do()
    assert caught.value.evidence["exception"] == "ActiveRecord::LockWaitTimeout"
    assert "filaectl maintenance on, systemctl stop" in engine.describe(caught.value)["next_step"]


def test_rails_own_lock_which_any_session_may_hold_is_a_lock_too(tmp_path: Path) -> None:
    taken = Result(1, "", "ActiveRecord::ConcurrentMigrationError:\n\nCannot run migrations\n")
    machine, runner = machine_with(tmp_path, Server(), lambda *a: taken, timings={"lock_wait": 0.001})
    with pytest.raises(Failed, match="lock 6 times") as caught:
        Migrate(machine, PLAN).do()
    assert "pg_terminate_backend" in caught.value.next_step
    assert any("locktype = 'advisory'" in str(sql) for sql in runner.stdins)


def test_the_table_of_the_schema_is_not_the_applications_after_a_migration_however_it_ended(tmp_path: Path) -> None:
    for answer in (Result(0), Result(1, "", "PG::UndefinedTable: ERROR\n")):
        server = Server(NEW if answer.status == 0 else OLD)
        machine, _ = machine_with(tmp_path / str(answer.status), server, lambda *_, given=answer: given)
        step = Migrate(machine, PLAN)
        with contextlib.suppress(Failed):
            step.do()
        if answer.status:
            step.undo()
        assert any(sql.startswith("REVOKE INSERT, UPDATE") for sql in server.asked)


def test_another_failure_is_not_tried_again(tmp_path: Path) -> None:
    failing = Result(1, "", "PG::UndefinedTable: ERROR: Dupont\n")
    machine, runner = machine_with(tmp_path, Server(), lambda *a: failing)
    with pytest.raises(Failed, match="PG::UndefinedTable"):
        Migrate(machine, PLAN).do()
    assert sum("--unit=filae-run-migrate" in line for line in runner.lines()) == 1


@pytest.mark.parametrize(
    ("reached", "invalid", "words"),
    [
        (OLD, [], f"needs {NEW}"),
        (NEW, ["public.i", 'x."a\nb"'], r'not valid: public\.i, x\."a \| b"$'),
    ],
)
def test_the_schema_is_looked_at_after_the_migration(
    tmp_path: Path, reached: str, invalid: list[str], words: str
) -> None:
    server = Server()

    def migrate(argv: Sequence[str], stdin: str | None) -> Result:
        server.schema, server.invalid = reached, list(invalid)
        return Result(0)

    machine, _ = machine_with(tmp_path, server, migrate)
    step = Migrate(machine, PLAN)
    with pytest.raises(Failed, match=words):
        step.do()
    assert dict(step.undo() or {}) == {"ended_sessions": 0, "dropped_indexes": invalid}
    assert server.invalid == []


def test_a_migration_looks_again_before_it_starts(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server(open=[HOLDER]))
    with pytest.raises(Refused, match="7211"):
        Migrate(machine, PLAN).do()
    assert not any("filae-run-migrate" in line for line in runner.lines())


@pytest.mark.parametrize(("schema", "runs"), [(OLD, True), (NEW, False), ("20271231000000", False)])
def test_the_live_release_migrates_again_where_the_database_is_behind_it(
    tmp_path: Path, schema: str, runs: bool
) -> None:
    """As after a restore; a later schema, which an update that was undone left, stays."""
    server = Server(schema)

    def migrate(*_: Any) -> Result:
        server.schema = NEW
        return Result(0)

    machine, runner = machine_with(tmp_path, server, migrate)
    again = Plan(**{**vars(PLAN), "from_version": PLAN.version})
    found = Migrate(machine, again).do()
    assert ("not_run" not in (found or {})) is runs
    assert any("filae-run-migrate" in line for line in runner.lines()) is runs
