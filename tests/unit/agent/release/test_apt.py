"""Who holds dpkg's lock is asked; nobody takes it to look."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from filae_ops.agent.release.apt import _held

TAKE = """
import fcntl, sys
with open(sys.argv[1], "r+b") as stream:
    fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock-frontend"
    path.touch()
    return path


@pytest.fixture
def apt(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that holds the lock as apt does."""
    argv = [sys.executable, "-c", TAKE, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def test_a_lock_that_another_holds_is_seen(lock: Path, apt: subprocess.Popen[str]) -> None:
    assert _held(lock)


def test_a_free_lock_is_free_and_stays_so(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.lockf", lambda *_: pytest.fail("it was taken"))
    assert not _held(lock)
