"""What a start does by itself: it locks anew where gems are gone, and holds those who wait."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest
from material.agent.installed import LOCK, gem, provisioned

from filae_ops.agent.release import at_start, gem_lock
from filae_ops.agent.runtime import launcher
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

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


@pytest.mark.parametrize("name", ["web", "worker", "timer"])
def test_each_unit_locks_anew_as_root_before_it_starts(name: str) -> None:
    text = (ROLES / f"app/templates/filae-{name}@.service.j2").read_text()
    assert "ExecStartPre=+-/usr/local/sbin/filaectl _relock %i\n" in text
