"""The lock that the application's user writes, and root takes into the release."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from material.agent.fakes import machine_at, put_release

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.release import gem_lock, outdated
from filae_ops.agent.steps import relock
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction.plan import again

LOCK = "GEM\n  specs:\n    rack (3.1.20)\n"


def locked(tmp_path: Path, write: Callable[[Path], object]) -> tuple[Machine, Path]:
    """Have the application's user write its lock, and root take it."""
    machine, runner = machine_at(tmp_path)
    tree = put_release(machine, "2.1.0")
    place = machine.layout.scratch / "2.1.0"
    place.mkdir()

    def run(*_: object) -> Result:
        write(place / "Gemfile.lock")
        return Result(0)

    runner.answers = {"systemd-run": run}
    gem_lock.lock(machine, tree, of_release(tree))
    return machine, tree


def test_the_lock_is_taken_and_its_place_is_empty_again(tmp_path: Path) -> None:
    machine, tree = locked(tmp_path, lambda path: path.write_text(LOCK))
    assert (tree / "Gemfile.lock").read_text() == LOCK
    assert list((machine.layout.scratch / "2.1.0").iterdir()) == []


@pytest.mark.parametrize(
    "write",
    [lambda path: path.symlink_to("/etc/hostname"), lambda path: path.symlink_to("/nowhere"), os.mkfifo,
     lambda path: path.mkdir(), lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 5 * 1024 * 1024)],
    ids=["a link", "a link to nothing", "a pipe", "a directory", "a flood"],
)  # fmt: skip
def test_what_is_no_file_of_its_own_is_not_taken(tmp_path: Path, write: Callable[[Path], object]) -> None:
    with pytest.raises(Failed, match="is not a plain file of filae's"):
        locked(tmp_path, write)


def test_a_name_for_another_s_file_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel lets anyone give a second name to any file (fs.protected_hardlinks=0)."""
    monkeypatch.setattr(Machine, "app_ids", (os.geteuid() + 1, os.getegid()))
    with pytest.raises(Failed, match="is not a plain file of filae's"):
        locked(tmp_path, lambda path: path.write_text(LOCK))


def test_its_digest_and_the_gems_that_are_not_there_are_recorded(tmp_path: Path) -> None:
    """The record is what tells later that somebody else wrote the lock."""
    machine, _ = locked(tmp_path, lambda path: path.write_text(LOCK))
    assert outdated.lock_digest(machine.layout, "2.1.0") == hashlib.sha256(LOCK.encode()).hexdigest()
    assert outdated.never_there(machine.layout, "2.1.0") == ["rack-3.1.20"]


def test_the_record_goes_back_with_the_lock_that_it_is_about(tmp_path: Path) -> None:
    """Else the former lock would be taken for one that somebody wrote by hand, or for one that needs no gem."""
    machine, tree = locked(tmp_path, lambda path: path.write_text(LOCK))
    (tree / "Gemfile").touch()
    record = outdated.record(machine.layout, "2.1.0")
    before = record.read_bytes()
    step = relock.Relock(machine, again("refresh", Live("2.1.0", "blue"), "2.1.0", "two", "claire", None))
    step._keep("2.1.0")
    (tree / "Gemfile.lock").write_text("another")
    record.write_text("{}")
    assert step.undo() == {"restored": ["2.1.0"]}
    assert ((tree / "Gemfile.lock").read_text(), record.read_bytes()) == (LOCK, before)
