"""What a start does by itself: it locks anew where gems are gone, and holds those who wait."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest
from material.agent.installed import LOCK, gem, provisioned

from filae_ops.agent.release import at_start, gem_lock
from filae_ops.agent.runtime import launcher
from filae_ops.agent.steps import replace
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import wording

ROLES = Path(__file__).parents[4] / "roles"


def test_a_start_locks_anew_only_where_gems_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = provisioned(tmp_path)
    locked: list[dict[str, Any]] = []
    monkeypatch.setattr(gem_lock, "lock", lambda machine, tree, contract, **how: locked.append(how))
    assert at_start.before_start(machine.layout, "green", {}) == 0
    assert locked == []
    gem(tmp_path, "rack-3.1.20").unlink()
    assert at_start.before_start(machine.layout, "worker-green", {}) == 0
    assert at_start.before_start(machine.layout, "prune", {"RELEASE": "2.1.0"}) == 0
    # Not bound to a transaction: there may be none.
    assert locked == [{"bound": False}, {"bound": False}]
    assert "rack-3.1.20" in capsys.readouterr().err

    def broken(*a: object, **k: object) -> None:
        raise Failed("no such gem")

    monkeypatch.setattr(gem_lock, "lock", broken)
    assert at_start.before_start(machine.layout, "green", {}) == 1
    assert launcher.version_of(machine.layout, "worker-green", {}) == "2.1.0"


def test_two_that_lock_at_once_do_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = provisioned(tmp_path)
    gem(tmp_path, "rack-3.1.20").unlink()
    machine.layout.private.mkdir(parents=True)
    seen: list[bool] = []

    def lock(machine: Machine, tree: Path, contract: object, **how: object) -> None:
        with (machine.layout.private / "relock").open("r+") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(True)
        (tree / "Gemfile.lock").write_text(LOCK.replace("    rack (3.1.20)\n", ""))

    monkeypatch.setattr(gem_lock, "lock", lock)
    gem_lock.lock_again(machine, "2.1.0")
    gem_lock.lock_again(machine, "2.1.0")
    assert seen == [True]


@pytest.mark.parametrize(("stall", "limit"), [(None, 30.0), (4.0, 30.0), (20.0, 40.0), (50.0, 90.0)])
def test_a_start_that_hangs_ends_while_those_who_wait_can_still_be_answered(stall: float | None, limit: float) -> None:
    assert replace.start_limit(90.0, stall) == limit


def test_one_colour_is_said_with_its_stall() -> None:
    assert "about 4 s" in wording.one_colour(4.2)
    assert "none is known yet" in wording.one_colour(None)


@pytest.mark.parametrize("name", ["web", "worker", "timer"])
def test_each_unit_locks_anew_as_root_before_it_starts(name: str) -> None:
    text = (ROLES / f"app/templates/filae-{name}@.service.j2").read_text()
    assert "ExecStartPre=+-/usr/local/sbin/filaectl _relock %i\n" in text


def test_the_socket_holds_those_who_wait() -> None:
    text = (ROLES / "app/templates/filae-web@.socket.j2").read_text()
    assert {"Backlog=4096", "TriggerLimitIntervalSec=0"} <= set(text.splitlines())
    assert f"proxy_read_timeout {replace.HELD:.0f}s;" in (ROLES / "proxy/templates/proxy-headers.conf.j2").read_text()
