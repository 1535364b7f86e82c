"""Each kind of transaction, with two colours and with one: done, failing at each step, and cut at each moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.worlds import NEW_LOCK, OLD_LOCK, OTHER, Cut, World

from filae_ops.agent.commands import perform
from filae_ops.agent.release import gem_lock
from filae_ops.agent.steps import catalogue, relock
from filae_ops.agent.steps.base import Deploy
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import journal
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.plan import Plan

KINDS = sorted(catalogue.KINDS)
STEPS = [(kind, mode, name) for kind, mode in KINDS for name in catalogue.names(kind, mode)]


def assert_whole(world: World, wanted: Plan, *, committed: bool) -> None:
    """Exactly one version is live, all of it, on one colour, and nothing is left of the transaction."""
    version, colour = (wanted.version, wanted.colour) if committed else ("2.0.0", "blue")
    live = world.machine.live()
    assert live
    assert (live.version, live.colour) == (version, colour)
    assert {c: v for c, v in world.running.items() if v} == {colour: version}
    assert world.enabled == {colour}
    bound = {path.name for path in world.machine.layout.colours.iterdir()}
    dropins = {path.name for path in world.machine.layout.units.glob("filae-web@*.service.d")}
    assert bound == {colour}, "verify would ask whose the other one is"
    assert dropins <= {f"filae-web@{colour}.service.d"}
    assert world.workers == {colour: version}
    assert journal.open_transaction(world.events()) == []
    assert not list(world.machine.layout.requests.iterdir())
    assert not list(world.machine.layout.incoming.iterdir())
    if committed:
        assert world.machine.layout.current.resolve() == world.machine.layout.release(version)
    if wanted.kind != "deploy":
        lock = world.machine.layout.release(version) / "Gemfile.lock"
        assert lock.read_text() == (NEW_LOCK if committed else OLD_LOCK)


def test_the_pivot_is_in_each_kind_and_one_colour_is_never_retired() -> None:
    for kind, mode in KINDS:
        names = catalogue.names(kind, mode)
        assert len(set(names)) == len(names)
        assert catalogue.PIVOT in names
        assert ("retire" in names, "replace" in names) == (mode == "two", mode == "one")
        assert not {"migrate", "setup", "dump"} & set(names) or kind == "deploy"


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_a_kind_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str) -> None:
    world = World(tmp_path, monkeypatch)
    wanted = world.ask(kind, mode)
    world.perform(wanted, monkeypatch)
    assert_whole(world, wanted, committed=True)
    assert wanted.colour == ("blue" if mode == "one" else "green")
    assert world.events()[0]["mode"] == mode


@pytest.mark.parametrize(("kind", "mode"), [pair for pair in KINDS if pair[0] != "refresh"])
def test_a_release_that_does_not_start_is_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    world = World(tmp_path, monkeypatch)
    world.broken = OTHER[kind]
    wanted = world.ask(kind, mode)
    world.perform(wanted, monkeypatch)
    assert_whole(world, wanted, committed=False)


@pytest.mark.parametrize(("kind", "mode", "name"), STEPS)
def test_whichever_step_fails_at_its_end_no_undo_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str, name: str
) -> None:
    """An undo that fails is one of three tries of a recovery, spent."""
    world = World(tmp_path, monkeypatch)
    (step,) = [step for step in catalogue.classes(kind, mode) if step.name == name]
    do = step.do

    def do_then_fail(self: Deploy) -> None:
        do(self)
        raise Failed(f"{name} fails")

    monkeypatch.setattr(step, "do", do_then_fail)
    wanted = world.ask(kind, mode)
    world.perform(wanted, monkeypatch)
    failures = [(e["step"], e["reason"]) for e in world.events() if e["event"] in ("failed", "undo-failed")]
    assert failures == [(name, f"{name} fails")]
    assert_whole(world, wanted, committed=False)


@pytest.mark.parametrize("boot", ["killed", "rebooted"])
@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_a_cut_at_any_moment_converges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str, boot: str
) -> None:
    """Before and after each event of the journal and each thing done to the machine."""
    world, moment, cut_in, ended = World(tmp_path, monkeypatch), 0, set(), set()
    while True:
        moment += 1
        world.reset()
        wanted = world.ask(kind, mode)
        world.cut_at = moment
        try:
            world.perform(wanted, monkeypatch)
        except Cut:
            pass
        else:
            break
        begun = journal.open_transaction(world.events())
        if boot == "rebooted":
            world.reboot()
        world.recover(wanted)
        if not begun:
            continue
        cut_in |= {begun[-1].get("step", "")}
        outcome = journal.outcome(journal.transactions(world.events())[wanted.id])
        pivoted = any(e["event"] == "done" and e["step"] == catalogue.PIVOT for e in begun)
        assert outcome == ("committed" if pivoted or outcome == "committed" else "rolled-back"), moment
        ended.add(outcome)
        plans.forget(world.machine, wanted)
        assert_whole(world, wanted, committed=outcome == "committed")
    assert set(catalogue.names(kind, mode)) <= cut_in, "a step was not cut"
    assert ended == {"committed", "rolled-back"}


@pytest.mark.parametrize(("kind", "mode"), [("rollback", "one"), ("rollback", "two"), ("refresh", "one")])
def test_a_second_cut_while_recovering_converges_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, mode: str
) -> None:
    world = World(tmp_path, monkeypatch)
    for first in range(12, 42, 5):
        for second in range(1, 20, 3):
            world.reset()
            wanted = world.ask(kind, mode)
            world.cut_at = first
            with pytest.raises(Cut):
                world.perform(wanted, monkeypatch)
            world.ticks, world.cut_at = 0, second
            try:
                perform.recover(world.machine, wanted.id)
            except Cut:
                world.reboot()
                world.recover(wanted)
            outcome = journal.outcome(journal.transactions(world.events())[wanted.id])
            assert_whole(world, wanted, committed=outcome == "committed")


def test_a_kept_release_that_cannot_be_locked_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch)
    lock = gem_lock.lock

    def only_the_live_one(machine: object, tree: Path, *a: object, **k: object) -> None:
        if tree.name != "2.0.0":
            raise Failed("no such gem")
        lock(machine, tree, *a, **k)  # type: ignore[arg-type]

    monkeypatch.setattr(gem_lock, "lock", only_the_live_one)
    wanted = world.ask("refresh", "two")
    found = relock.Relock(world.machine, wanted).do()
    assert found == {"relocked": ["2.0.0"], "cannot_be_locked": {"1.9.0": "no such gem"}}
    assert relock.Relock(world.machine, wanted).undo() == {"restored": ["1.9.0", "2.0.0"]}
    assert (world.machine.layout.release("2.0.0") / "Gemfile.lock").read_text() == OLD_LOCK
