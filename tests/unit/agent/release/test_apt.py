"""Debian's packages: what is missing and installed, and who holds dpkg's lock, which nobody takes to look."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.release import apt
from filae_ops.agent.release.apt import _held
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed, Result

NEW = Contract(CONTRACT)

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
def holder(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Another program that holds the lock as apt does."""
    argv = [sys.executable, "-c", TAKE, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def test_a_lock_that_another_holds_is_seen(lock: Path, holder: subprocess.Popen[str]) -> None:
    assert _held(lock)


def test_a_free_lock_is_free_and_stays_so(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.lockf", lambda *_: pytest.fail("it was taken"))
    assert not _held(lock)


def test_packages_that_are_missing(tmp_path: Path) -> None:
    printed = "puma installed\nruby-pg not-installed\n"
    machine, _ = machine_at(tmp_path, {"dpkg-query": Result(1, printed)})
    assert apt.missing(machine, apt.required(NEW)) == ["ruby", "ruby-pg"]


@pytest.mark.parametrize("name", ["--force", "sudo-", "puma=1", "puma/sid", "a*", "a\nb", "", "^x", "?installed"])
def test_what_apt_would_take_for_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="is not the name of a Debian package"):
        apt.required(Contract({**CONTRACT, "debian_packages": ["puma", name]}))


def test_packages_are_tried_again_after_the_lists_are_read(tmp_path: Path) -> None:
    tries = iter([Result(100), Result(0)])
    machine, runner = machine_at(tmp_path, {"apt-get -q -y": lambda argv, stdin: next(tries)})
    assert apt.install(machine, ["puma"]) == ["puma"]
    assert runner.lines()[1] == "apt-get -q update"
    assert runner.argvs[2][-2:] == ["--", "puma"]


def test_names_are_exact_and_nothing_is_removed(tmp_path: Path) -> None:
    """As apt reads `postf.x` otherwise, it installs all that has it in its name."""
    machine, runner = machine_at(tmp_path)
    apt.install(machine, ["puma"])
    (line,) = runner.lines()
    assert " -o APT::Cmd::Pattern-Only=true " in line
    assert " --no-remove " in line


TAKES_AWAY = (
    "The following packages will be REMOVED:\n  chrony\n  other\nThe following NEW packages will be installed:\n"
)


@pytest.mark.parametrize(
    ("out", "err", "words"),
    [
        (
            "",
            "E: Unable to locate package postf.x\n",
            "puma, postf.x cannot be installed: Unable to locate package postf.x",
        ),
        ("", "E: Package 'postf.x' has no installation candidate\n", "has no installation candidate"),
        (TAKES_AWAY, "E: Packages need to be removed but remove is disabled.\n", "take away chrony, other"),
    ],
)
def test_a_name_that_does_not_fit_is_the_providers(tmp_path: Path, out: str, err: str, words: str) -> None:
    machine, _ = machine_at(tmp_path, {"apt-get -q -y": Result(100, out, err)})
    with pytest.raises(Refused, match="debian_packages: puma") as caught:
        apt.install(machine, ["puma", "postf.x"])
    assert words in caught.value.message
    assert caught.value.owner == "provider"
    assert "release.yml" in caught.value.next_step


def test_a_mirror_that_fails_is_no_fault_of_the_names(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path, {"apt-get -q -y": Result(100, "", "E: Failed to fetch http://mirror/x\n")})
    with pytest.raises(Failed, match="Failed to fetch"):
        apt.install(machine, ["puma"])


def test_the_ruby_of_debian(tmp_path: Path) -> None:
    shown = "Package: ruby\nDepends: ruby3.3 (>= 3.3.4), rubygems-integration\n"
    machine, _ = machine_at(tmp_path, {"apt-cache show": Result(0, shown)})
    assert apt.ruby(machine) == "3.3"
