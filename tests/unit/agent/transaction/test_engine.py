"""Every step failing, and recovery from every prefix of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import engine
from filae_ops.agent.transaction.journal import Journal, open_transaction, outcome, transactions

NAMES = ("stage", "migrate", "start", "switch", "retire", "commit")
PIVOT = "switch"


class Cut(BaseException):
    """A power cut."""


class World:
    """What lasts when a process dies: which steps' outcomes hold."""

    def __init__(self) -> None:
        self.holds: set[str] = set()
        self.log: list[str] = []
        self.broken: set[str] = set()
        self.cut_in: str = ""


class FakeStep:
    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world

    def _maybe(self, what: str) -> None:
        self.world.log.append(f"{what} {self.name}")
        if self.world.cut_in == f"{what} {self.name}":
            raise Cut
        if f"{what} {self.name}" in self.world.broken:
            raise Failed(f"{self.name} is broken", status=1)

    def do(self) -> Mapping[str, Any] | None:
        self._maybe("do")
        self.world.holds.add(self.name)
        return {"found": self.name}

    def undo(self) -> Mapping[str, Any] | None:
        self._maybe("undo")
        self.world.holds.discard(self.name)
        return None

    def check(self) -> str:
        return "" if self.name in self.world.holds and "check" not in self.world.broken else "does not hold"


def transaction(tmp_path: Path, world: World) -> tuple[Journal, list[FakeStep], Any]:
    journal = Journal(tmp_path / "journal.jsonl", boot="boot-1", machine="machine-1")
    write = partial(journal.write, tx="t1")
    write("begin", kind="deploy", version="2")
    return journal, [FakeStep(name, world) for name in NAMES], write


def recovered(journal: Journal, world: World, boot: str = "boot-1") -> str:
    now = engine.situation(open_transaction(journal.read()), boot, "machine-1")
    write = partial(journal.write, tx="t1")
    write("recover", attempt=now.tries + 1)
    return engine.recover([FakeStep(name, world) for name in NAMES], now, write, PIVOT)


def test_all_steps_are_done_in_order_and_committed(tmp_path: Path) -> None:
    world = World()
    journal, steps, write = transaction(tmp_path, world)
    assert engine.run(steps, write) == "committed"
    assert world.log == [f"do {name}" for name in NAMES]
    events = journal.read()
    assert outcome(events) == "committed"
    assert open_transaction(events) == []


def test_each_step_is_announced_on_disk_before_it_is_done(tmp_path: Path) -> None:
    world = World()
    journal, steps, write = transaction(tmp_path, world)
    for step in steps:
        do = step.do

        def watched(do: Any = do, name: str = step.name) -> Any:
            last = journal.read()[-1]
            assert (last["event"], last["step"]) == ("step", name)
            return do()

        step.do = watched  # type: ignore[method-assign]
    assert engine.run(steps, write) == "committed"


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_undoes_what_was_started_in_reverse(tmp_path: Path, name: str) -> None:
    world = World()
    world.broken = {f"do {name}"}
    journal, steps, write = transaction(tmp_path, world)
    assert engine.run(steps, write) == "rolled-back"
    started = NAMES[: NAMES.index(name) + 1]
    assert world.log[len(started) :] == [f"undo {n}" for n in reversed(started)]
    assert world.holds == set()
    failed = next(e for e in journal.read() if e["event"] == "failed")
    assert failed["step"] == name
    assert failed["evidence"] == {"status": 1}


@pytest.mark.parametrize("name", NAMES)
def test_an_undo_that_fails_leaves_the_transaction_open_and_the_others_are_tried(tmp_path: Path, name: str) -> None:
    world = World()
    world.broken = {"do commit", f"undo {name}"}
    journal, steps, write = transaction(tmp_path, world)
    assert engine.run(steps, write) == "stuck"
    assert [line for line in world.log if line.startswith("undo")] == [f"undo {n}" for n in reversed(NAMES)]
    assert open_transaction(journal.read())
    world.broken = set()
    assert recovered(journal, world) == "rolled-back"
    assert world.holds == set()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
def test_a_cut_in_any_step_converges(tmp_path: Path, name: str, boot: str) -> None:
    world = World()
    world.cut_in = f"do {name}"
    journal, steps, write = transaction(tmp_path, world)
    with pytest.raises(Cut):
        engine.run(steps, write)
    world.cut_in = ""
    ended = recovered(journal, world, boot)
    after_pivot = NAMES.index(name) > NAMES.index(PIVOT)
    assert ended == ("committed" if after_pivot else "rolled-back")
    assert world.holds == (set(NAMES) if after_pivot else set())
    assert open_transaction(journal.read()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_in_any_undo_converges(tmp_path: Path, name: str) -> None:
    world = World()
    world.broken, world.cut_in = {"do commit"}, f"undo {name}"
    journal, steps, write = transaction(tmp_path, world)
    with pytest.raises(Cut):
        engine.run(steps, write)
    world.broken, world.cut_in = set(), ""
    assert recovered(journal, world) == "rolled-back"
    assert world.holds == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_machine_that_stops_judges_nothing(tmp_path: Path, name: str) -> None:
    world = World()
    world.broken = {f"do {name}"}
    journal, steps, write = transaction(tmp_path, world)
    assert engine.run(steps, write, stopping=lambda: True) == "cut"
    assert (journal.read()[-1]["event"], journal.read()[-1]["step"]) == ("step", name)
    assert not any(line.startswith("undo") for line in world.log)


def test_every_prefix_of_the_journal_leads_to_an_end(tmp_path: Path) -> None:
    world = World()
    journal, steps, write = transaction(tmp_path, world)
    engine.run(steps, write)
    lines = journal.path.read_text().splitlines(keepends=True)
    for length in range(1, len(lines)):
        for torn in ("", lines[length][: len(lines[length]) // 2]):
            again = Journal(tmp_path / f"prefix-{length}-{bool(torn)}", boot="boot-2", machine="machine-1")
            again.path.write_text("".join(lines[:length]) + torn)
            world = World()
            world.holds = {e["step"] for e in again.read() if e["event"] == "done"}
            ended = recovered(again, world, "boot-2")
            assert ended == ("committed" if PIVOT in world.holds else "rolled-back")
            assert world.holds in (set(), set(NAMES))
            assert outcome(transactions(again.read())["t1"]) == ended


def test_a_switch_that_no_longer_holds_is_undone(tmp_path: Path) -> None:
    world = World()
    world.cut_in = "do retire"
    journal, steps, write = transaction(tmp_path, world)
    with pytest.raises(Cut):
        engine.run(steps, write)
    world.cut_in, world.broken = "", {"check"}
    assert recovered(journal, world) == "rolled-back"
    direction = next(e for e in journal.read() if e["event"] == "direction")
    assert direction["direction"] == "back"
    assert direction["because"] == "does not hold"


@pytest.mark.parametrize(
    ("boot", "machine", "reason"),
    [
        ("boot-1", "machine-1", "killed"),
        ("boot-2", "machine-1", "the machine stopped, or was restored from a snapshot"),
        ("boot-2", "machine-2", "copied to another machine"),
    ],
)
def test_the_situation_tells_why(tmp_path: Path, boot: str, machine: str, reason: str) -> None:
    journal, _, _ = transaction(tmp_path, World())
    assert engine.situation(journal.read(), boot, machine).reason == reason


def test_tries_are_counted_from_the_last_time_a_person_asked(tmp_path: Path) -> None:
    journal, _, write = transaction(tmp_path, World())
    for attempt in (1, 2, 3):
        write("recover", attempt=attempt)
    assert engine.situation(journal.read(), "boot-1", "machine-1").tries == 3
    write("gave-up", tries=3)
    assert open_transaction(journal.read()), "a deploy is refused until someone repairs"
    write("retry-asked")
    assert engine.situation(journal.read(), "boot-1", "machine-1").tries == 0


def test_a_bug_in_a_step_is_a_failure_with_its_place(tmp_path: Path) -> None:
    world = World()
    journal, steps, write = transaction(tmp_path, world)
    steps[1].do = lambda: {}["absent"]  # type: ignore[method-assign]
    assert engine.run(steps, write) == "rolled-back"
    failed = next(e for e in journal.read() if e["event"] == "failed")
    assert failed["reason"].startswith("KeyError")
    assert "test_engine.py:" in failed["evidence"]["frame"]
