"""When a migration is refused, what is kept before it, and how it meets a lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fakes import CONTRACT, FakeRunner, machine_at, put_release

from filae_ops.agent import engine, migration, preflight, safety
from filae_ops.agent import plan as plans
from filae_ops.agent.contract import Contract
from filae_ops.agent.errors import Refused
from filae_ops.agent.journal import Journal
from filae_ops.agent.machine import Machine
from filae_ops.agent.migrate import Migrate
from filae_ops.agent.plan import Plan
from filae_ops.agent.run import Failed, Result
from filae_ops.agent.safety import Dump
from filae_ops.agent.window import Window

PLAN = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire", "2.0.0", "blue")
OLD, NEW = "20260801000000", "20260901120000"
WINDOW = Window(("tue",), time(22, 0), 120, ZoneInfo("Europe/Paris"))
HOLDER = {"pid": 7211, "application": "ward\treport", "role": "filae", "since": "2026-11-21T23:45:17.5+00:00"}


class Server:
    """What PostgreSQL answers, by the words of the question."""

    def __init__(self, schema: str = OLD, **changes: Any) -> None:
        self.schema = schema
        self.open: list[dict[str, Any]] = []
        self.invalid: list[str] = []
        self.asked: list[str] = []
        self.__dict__ |= changes

    def __call__(self, argv: Sequence[str], stdin: str | None) -> Result:
        sql = stdin or ""
        self.asked.append(sql)
        if "DROP INDEX" in sql:
            self.invalid = []
        answers: dict[str, Callable[[], str]] = {
            "FROM pg_database WHERE": lambda: "1",
            "to_regclass": lambda: "present" if self.schema else "absent",
            "max(version": lambda: self.schema,
            "pg_stat_activity": lambda: json.dumps(self.open),
            "pg_terminate_backend": lambda: "0",
            "indisvalid": lambda: "\n".join(self.invalid),
            "pg_database_size": lambda: "1000",
        }
        order = ("pg_terminate_backend", *answers)
        return Result(0, next((answers[words]() for words in order if words in sql), ""))


def machine_with(
    tmp_path: Path, server: Server, migrate: Callable[..., Result] | None = None, **config: Any
) -> tuple[Machine, FakeRunner]:
    """Return a machine whose database is `server`, with the new release's tree."""
    answers: dict[str, Any] = {"runuser": server, "nice": lambda *a: Result(0)}
    if migrate is not None:
        answers["systemd-run --unit=filae-run-migrate"] = migrate
    machine, runner = machine_at(tmp_path, answers, **config)
    put_release(machine, "2.1.0")
    return machine, runner


def of_kind(kind: str) -> Contract:
    return Contract({**CONTRACT, "migrate": {**CONTRACT["migrate"], "kind": kind}})


@pytest.mark.parametrize(
    ("now", "is_open", "opens"),
    [
        ("2026-11-24T20:59:59+00:00", False, "2026-11-24T22:00:00+01:00"),
        ("2026-11-24T21:00:00+00:00", True, "2026-12-01T22:00:00+01:00"),
        ("2026-11-24T22:59:59+00:00", True, "2026-12-01T22:00:00+01:00"),
        ("2026-11-24T23:00:00+00:00", False, "2026-12-01T22:00:00+01:00"),
        ("2026-07-07T20:30:00+00:00", True, "2026-07-14T22:00:00+02:00"),
    ],
)
def test_the_window_is_in_the_sites_time_zone(now: str, is_open: bool, opens: str) -> None:
    moment = datetime.fromisoformat(now)
    assert WINDOW.is_open(moment) is is_open
    assert WINDOW.next_opening(moment).isoformat() == opens


def test_a_window_goes_past_midnight_and_the_change_of_the_clocks() -> None:
    late = Window(("sat",), time(23, 0), 300, ZoneInfo("Europe/Paris"))  # the clocks go back that night
    assert late.is_open(datetime(2026, 10, 25, 1, 59, tzinfo=UTC))
    assert not late.is_open(datetime(2026, 10, 25, 2, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("kind", "window", "serving", "words"),
    [
        ("expand", False, True, ""),
        ("contract", False, True, ""),
        ("window", False, True, "none is agreed"),
        ("window", True, True, r"closed: it opens on \w+ \d\d \w+ \d{4} at \d\d:\d\d \(UTC\)"),
        ("window", False, False, ""),
        ("", False, True, "no kind"),
        ("later", False, True, "'later'"),
    ],
)
def test_a_kind_has_its_time(tmp_path: Path, kind: str, window: bool, serving: bool, words: str) -> None:
    config: dict[str, Any] = {}
    if window:  # one minute, the day after tomorrow
        day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 2) % 7]
        config = {"timezone": "UTC", "maintenance_window": {"days": [day], "start": "12:00", "minutes": 1}}
    machine, _ = machine_with(tmp_path, Server(), **config)
    if words:
        with pytest.raises(Refused, match=words):
            migration.check(machine, of_kind(kind), serving=serving)
    else:
        assert migration.check(machine, of_kind(kind), serving=serving) == migration.Change(int(OLD), int(NEW), kind)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"days": [], "start": "22:00", "minutes": 1}, "days"),
        ({"days": ["mardi"], "start": "22:00", "minutes": 1}, "mardi"),
        ({"days": ["tue"], "start": "22h", "minutes": 1}, "22h"),
        ({"days": ["tue"], "minutes": 1}, "start"),
    ],
)
def test_a_window_that_is_none_is_refused(tmp_path: Path, window: dict[str, Any], words: str) -> None:
    machine, _ = machine_at(tmp_path, maintenance_window=window)
    with pytest.raises(Refused, match=words):
        _ = machine.config


def test_a_schema_that_is_there_asks_for_nothing_and_a_later_one_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_with(tmp_path, Server(NEW, open=[HOLDER]))
    assert migration.check(machine, of_kind("window"), serving=True) is None
    machine, _ = machine_with(tmp_path / "later", Server("20270101000000"))
    with pytest.raises(Refused, match="nothing migrates down"):
        migration.check(machine, of_kind("expand"), serving=True)


def test_an_old_transaction_is_named_and_never_what_it_asks(tmp_path: Path) -> None:
    server = Server(open=[HOLDER])
    machine, _ = machine_with(tmp_path, server)
    with pytest.raises(Refused, match=r"pid 7211 \(wardreport\) of filae since 2026-11-21T23:45:17") as caught:
        migration.check(machine, of_kind("expand"), serving=True)
    assert "pg_terminate_backend" in caught.value.next_step
    (asked,) = [sql for sql in server.asked if "pg_stat_activity" in sql]
    assert "secs => 60.0" in asked
    assert "query" not in asked


def test_the_disk_must_hold_the_dump_too(tmp_path: Path) -> None:
    machine, _ = machine_with(tmp_path, Server())
    change = migration.pending(machine, of_kind("expand"))
    assert safety.room(machine, change) == 1000
    assert safety.room(machine, None) == 0
    preflight.room(100, 1300, 1000)
    with pytest.raises(Refused, match="database to dump"):
        preflight.room(100, 1299, 1000)


def test_the_last_two_dumps_are_kept(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server())
    machine.layout.safety.mkdir(mode=0o700)
    for name in ("t0a", "t0b"):
        (machine.layout.safety / f"{name}.dump").write_text("")
    found = dict(Dump(machine, PLAN).do() or {})
    assert found["dump"] == str(machine.layout.safety / "t1.dump")
    assert [path.name for path in safety.dumps(machine)] == ["t0b.dump", "t1.dump"]
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
    assert bool(safety.dumps(machine)) is migrated


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

    with pytest.raises(Failed, match="lock 6 times; open transactions: pid 7211") as caught:
        Migrate(machine, PLAN, open_later).do()
    assert caught.value.evidence["exception"] == "ActiveRecord::LockWaitTimeout"
    assert "same bundle again" in engine.describe(caught.value)["next_step"]


def test_another_failure_is_not_tried_again(tmp_path: Path) -> None:
    failing = Result(1, "", "PG::UndefinedTable: ERROR: Dupont\n")
    machine, runner = machine_with(tmp_path, Server(), lambda *a: failing)
    with pytest.raises(Failed, match="PG::UndefinedTable"):
        Migrate(machine, PLAN).do()
    assert sum("--unit=filae-run-migrate" in line for line in runner.lines()) == 1


@pytest.mark.parametrize(
    ("reached", "invalid", "words"),
    [(OLD, [], f"needs {NEW}"), (NEW, ["public.i"], "not valid: public.i")],
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
