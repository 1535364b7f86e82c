"""Undoing in reverse leaves what served before serving, and never takes away what nginx sends people to."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from material.agent.fakes import FakeRunner, machine_at, make_live, put_release

from filae_ops.agent import main
from filae_ops.agent.commands import perform
from filae_ops.agent.frontdoor import nginx, proof
from filae_ops.agent.runtime import health
from filae_ops.agent.steps import catalogue
from filae_ops.agent.steps.prepare import Stage, Start
from filae_ops.agent.steps.switch import Retire, Switch
from filae_ops.agent.system import machine as machines
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction import engine
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

PLAN = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire", "2.0.0", "blue")
FIRST = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire")


class Turned:
    """A machine whose nginx was turned from 2.0.0 on blue to 2.1.0 on green."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine: Machine
        self.runner: FakeRunner
        answers = {"systemctl show": Result(0, "ActiveState=inactive\n")}
        self.machine, self.runner = machine_at(tmp_path, answers)
        for version in ("2.0.0", "2.1.0"):
            put_release(self.machine, version)
        make_live(self.machine, "2.0.0", "blue")
        (self.machine.layout.nginx / "live.conf").write_text("former")
        nginx.save(self.machine, "t1")
        make_live(self.machine, "2.1.0", "green")
        (self.machine.layout.nginx / "live.conf").write_text("new")
        self.sick: set[str] = set()
        monkeypatch.setattr(health, "of_colour", self._of_colour)
        monkeypatch.setattr(proof, "front_door", self._front_door)

    def _of_colour(self, machine: Machine, contract: object, colour: str) -> str:
        self.runner.argvs.append(["asked", colour])
        return "sick" if colour in self.sick else ""

    def _front_door(self, machine: Machine, contract: object, **options: object) -> str:
        live = machine.live()
        return "sick" if live is None or live.colour in self.sick else ""

    @property
    def colour(self) -> str:
        live = self.machine.live()
        return live.colour if live else ""


@pytest.fixture
def turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Turned:
    return Turned(tmp_path, monkeypatch)


def test_the_old_colour_is_healthy_before_nginx_is_turned_back_and_the_new_one_stops_last(turned: Turned) -> None:
    for step in (Retire, Switch, Start):
        step(turned.machine, PLAN).undo()
    words = turned.runner.lines()
    order = [words.index(w) for w in (
        "systemctl start filae-web@blue.service", "asked blue", "systemctl reload nginx.service",
        "systemctl stop --no-block filae-web@green.socket filae-web@green.service",
    )]  # fmt: skip
    assert order == sorted(order)
    assert turned.colour == "blue"
    assert (turned.machine.layout.nginx / "live.conf").read_text() == "former"


def test_a_former_release_that_does_not_run_again_takes_nothing_away(turned: Turned) -> None:
    turned.sick = {"blue"}
    for step, words in ((Retire, "not healthy again"), (Switch, "nginx stays"), (Start, "green"), (Stage, "its tree")):
        with pytest.raises(Failed, match=words):
            step(turned.machine, PLAN).undo()
    assert turned.colour == "green"
    assert turned.machine.layout.release("2.1.0").is_dir()
    assert not any("stop" in line and "green" in line for line in turned.runner.lines())


def test_once_the_former_release_runs_the_next_try_ends_the_undo(turned: Turned) -> None:
    write = partial(Journal(turned.machine.layout.journal).write, tx="t1")
    todo = [step(turned.machine, PLAN) for step in (Stage, Start, Switch, Retire)]
    turned.sick = {"blue"}
    assert engine.undo(todo, write) == "stuck"
    assert turned.colour == "green"
    turned.sick = set()
    assert engine.undo(todo, write) == "rolled-back"
    assert turned.colour == "blue"
    assert not turned.machine.layout.release("2.1.0").exists()


def test_undoing_twice_changes_nothing_more(turned: Turned) -> None:
    for _ in range(2):
        for step in (Retire, Switch, Start, Stage):
            step(turned.machine, PLAN).undo()
        assert turned.colour == "blue"


def test_a_switch_that_was_cut_before_its_time_is_undone_without_the_old_colour(turned: Turned) -> None:
    make_live(turned.machine, "2.0.0", "blue")
    turned.sick = {"blue"}
    with pytest.raises(Failed, match=r"does not serve 2\.0\.0 again"):
        Switch(turned.machine, PLAN).undo()
    assert "asked blue" not in turned.runner.lines()


def test_a_first_release_leaves_an_empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, _ = machine_at(tmp_path, {"systemctl show": Result(0, "ActiveState=inactive\n")})
    monkeypatch.setattr(health, "of_colour", lambda *a: pytest.fail("nobody is to be asked"))
    put_release(machine, "2.1.0")
    for name in nginx.PAIR:
        (machine.layout.nginx / name).write_text("# no release yet\n")
    nginx.save(machine, "t1")
    make_live(machine, "2.1.0", "green")
    for step in (Retire, Switch, Start, Stage):
        step(machine, FIRST).undo()
    assert machine.live() is None
    assert machine.kept() == []


def test_every_step_is_named_once_and_the_order_keeps_the_promises() -> None:
    names = [step.name for step in catalogue.DEPLOY]
    assert names == [
        "packages", "stage", "database", "secrets", "dump", "migrate", "setup", "start", "probe", "switch", "retire",
        "workers", "soak", "commit",
    ]  # fmt: skip


def give_up(turned: Turned, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(perform, "_die_on_stop", lambda: None)
    write = partial(Journal(turned.machine.layout.journal).write, tx="t1")
    write("begin", **plans.as_fields(PLAN))
    for attempt in (1, 2, 3):
        write("recover", attempt=attempt)
    assert perform.recover(turned.machine, "t1") == 0
    return str(Journal(turned.machine.layout.journal).read()[-1]["serving"])


def refuse_page(turned: Turned) -> None:
    turned.sick = {"green"}
    turned.runner.answers["nginx -t"] = Result(1, "", "emerg")


@pytest.mark.parametrize(
    ("happens", "serving", "live"),
    [
        (lambda turned: None, "2.1.0", "new"),
        (lambda turned: turned.sick.add("blue"), "2.1.0", "new"),
        (lambda turned: turned.sick.add("green"), "maintenance page", nginx.MAINTENANCE),
        (refuse_page, "neither a release nor the maintenance page", "new"),
    ],
)
def test_giving_up_leaves_what_nginx_leads_to_or_the_page_and_says_which(
    turned: Turned,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Turned], None],
    serving: str,
    live: str,
) -> None:
    happens(turned)
    assert give_up(turned, monkeypatch).startswith(serving)
    assert (turned.machine.layout.nginx / "live.conf").read_text() == live


@pytest.mark.parametrize("end", ["", "gave-up"])
def test_the_agent_is_not_replaced_under_a_transaction_but_once_it_gave_up(
    turned: Turned, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    write = partial(Journal(turned.machine.layout.journal).write, tx="t1")
    write("begin", **plans.as_fields(PLAN))
    if end:
        write(end, tries=3, serving="2.1.0")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(machines, "Machine", lambda: turned.machine)
    assert main.main(["_replaceable"]) == (0 if end else 1)


def test_a_try_after_giving_up_takes_the_page_back_first(turned: Turned, monkeypatch: pytest.MonkeyPatch) -> None:
    turned.sick = {"green"}
    assert give_up(turned, monkeypatch) == "maintenance page"
    Journal(turned.machine.layout.journal).write("retry-asked", tx="t1")
    seen: list[str] = []
    read = (turned.machine.layout.nginx / "live.conf").read_text
    monkeypatch.setattr(engine, "recover", lambda *a: seen.append(read()) or "rolled-back")
    assert perform.recover(turned.machine, "t1") == 0
    assert seen == ["new"]
