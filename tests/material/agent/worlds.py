"""A machine whose processes are simulated: each thing that the steps do to it may be cut just before or after."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import machine_at, make_live, put_release

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.commands import perform
from filae_ops.agent.database import application_database
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.release import apt, gem_lock, store
from filae_ops.agent.runtime import credentials, health, unit_control
from filae_ops.agent.steps import dump, prepare, replace, soak
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import plan
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

OLD_LOCK, NEW_LOCK = (f"GEM\n  specs:\n    rack ({version})\n" for version in ("3.1.19", "3.1.20"))
PREPARE_WEB, WRITE = unit_control.prepare_web, Journal.write
OTHER = {"deploy": "2.1.0", "rollback": "1.9.0", "refresh": "2.0.0"}


class Cut(BaseException):
    """The process is killed, or the power fails."""


class World:
    """2.0.0 is live on blue; `ticks` counts what was done to the machine, and `cut_at` ends it there."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.machine, _ = machine_at(root, timings={"settle": 0.001, "drain": 0.001})
        gem = root / "usr/share/rubygems-integration/all/specifications/rack-3.1.20.gemspec"
        gem.parent.mkdir(parents=True)
        gem.write_text("")
        self.reset()
        self._replace_the_outside(monkeypatch)

    def reset(self) -> None:
        """Be as at first."""
        layout = self.machine.layout
        self.ticks, self.cut_at, self.broken = 0, -1, ""
        self.running: dict[str, str] = {"blue": "2.0.0", "green": ""}
        self.enabled, self.workers = {"blue"}, {"blue": "2.0.0"}
        for path in (layout.journal, layout.colour_file("green"), layout.current, layout.nginx / "live.conf"):
            durable.remove(path)
        for path in layout.requests.iterdir():
            durable.remove(path)
        for version in ("1.9.0", "2.0.0", "2.1.0"):
            store.unstage(self.machine, version)
        self._release("1.9.0")
        self._release("2.0.0")
        make_live(self.machine, "2.0.0", "blue")

    def _release(self, version: str) -> None:
        tree = put_release(self.machine, version)
        (tree / "Gemfile").write_text("")
        (tree / "Gemfile.lock").write_text(OLD_LOCK)

    def tick(self) -> None:
        self.ticks += 1
        if self.ticks == self.cut_at:
            raise Cut

    def acts(self, name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(effect)
        def acted(*args: Any, **options: Any) -> Any:
            self.tick()
            if name == self.broken:
                raise Failed(f"{name} is broken")
            found = effect(*args, **options)
            self.tick()
            return found

        return acted

    def _replace_the_outside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def put(place: Any, name: str, effect: Callable[..., Any] = lambda *a, **k: None) -> None:
            monkeypatch.setattr(place, name, self.acts(name, effect))

        for place, name in ((apt, "install"), (credentials, "ensure"), (application_database, "ensure"),
                            (archive, "verify_tree"), (unit_control, "set_timers"), (dump.Dump, "do"),
                            (soak.Soak, "do"), (prepare.Setup, "do")):  # fmt: skip
            put(place, name)
        for place, name in ((step_of("migrate"), "do"), (step_of("migrate"), "undo")):
            put(place, name)
        monkeypatch.setattr(application_database, "reset_roles", lambda machine: [])
        monkeypatch.setattr(archive, "read_manifest", lambda path: {"contract": {"debian_packages": []}})
        monkeypatch.setattr(archive, "check_signature", lambda *a: "provider")
        monkeypatch.setattr(unit_control, "evidence", lambda *a: {})
        put(store, "stage", lambda machine, bundle, version: self._staged(version))
        put(unit_control, "prepare_web", PREPARE_WEB)
        put(unit_control, "start_web", self._start)
        put(unit_control, "stop_web", self._stop)
        put(replace, "restart", lambda machine, colour, limit: self._start(machine, colour))
        put(unit_control, "start_workers", self._start_workers)
        put(unit_control, "stop_workers", lambda machine, colour: self.workers.pop(colour, None))
        put(gem_lock, "lock", lambda machine, tree, contract, bound=True: (tree / "Gemfile.lock").write_text(NEW_LOCK))
        monkeypatch.setattr(health, "on_socket", lambda path, name, timeout=10: path.stem.removeprefix("web-"))
        monkeypatch.setattr(health, "wait", lambda contract, colour, *a, **k: self._unlike(colour, contract))
        monkeypatch.setattr(health, "of_colour", lambda machine, contract, colour, *a: self._unlike(colour, contract))
        monkeypatch.setattr(proof, "front_door", lambda machine, contract, *a, **k: self._seen(contract))
        put(proof, "before_switch", lambda machine, contract, colour, ahead=False: {})
        monkeypatch.setattr(os, "fsync", lambda handle: None)  # hundreds of runs: what lasts is not what is asked here
        monkeypatch.setattr(perform, "_die_on_stop", lambda: None)
        monkeypatch.setattr(perform, "_stopping", lambda machine: False)
        monkeypatch.setattr(perform, "_end_leftovers", lambda machine, name: None)

    def _staged(self, version: str) -> None:
        store.unstage(self.machine, version)
        self._release(version)

    def _start(self, machine: Machine, colour: str) -> None:
        self.enabled.add(colour)
        self.running[colour] = machine.version_in(colour)
        if self.running[colour] == self.broken:
            raise Failed(f"{self.broken} does not start")

    def _stop(self, machine: Machine, colour: str) -> None:
        self.enabled.discard(colour)
        self.running[colour] = ""

    def _start_workers(self, machine: Machine, contract: Contract, colour: str) -> list[str]:
        if machine.version_in(colour) != contract.version:
            raise Failed(f"{colour} is not bound to {contract.version}: its launcher would find no release")
        self.workers[colour] = contract.version
        return []

    def _unlike(self, colour: str, contract: Contract) -> str:
        return "" if self.running[colour] == contract.version != self.broken else f"{colour} is not it"

    def _seen(self, contract: Contract) -> str:
        live = self.machine.live()
        return self._unlike(live.colour, contract) if live else "nothing is live"

    def reboot(self) -> None:
        """Start what systemd starts at boot: the colours that are enabled, as they are bound."""
        self.running = {c: self.machine.version_in(c) if c in self.enabled else "" for c in ("blue", "green")}

    def ask(self, kind: str, mode: str) -> Plan:
        """Leave a request for a transaction."""
        live = self.machine.live()
        assert live
        wanted = plan.again(kind, live, OTHER[kind], mode, "claire", 3.0)
        if kind == "deploy":
            wanted = dataclasses.replace(wanted, bundle=str(self.machine.layout.incoming / "b.tar.zst"))
            for name in (wanted.bundle, f"{wanted.bundle}.sig"):
                Path(name).touch()
        plan.save(self.machine, wanted)
        return wanted

    def events(self) -> list[dict[str, Any]]:
        return Journal(self.machine.layout.journal).read()

    def perform(self, wanted: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
        """Carry a request out; the journal's own writes may be cut too."""
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "write", self.acts("write", WRITE))
            perform.perform(self.machine, wanted.id)

    def recover(self, wanted: Plan) -> None:
        self.cut_at, self.broken = -1, ""
        perform.recover(self.machine, wanted.id)


def step_of(name: str) -> Any:
    """Return the class of a step of a deploy."""
    from filae_ops.agent.steps import catalogue

    return next(step for step in catalogue.DEPLOY if step.name == name)
