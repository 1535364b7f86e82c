"""The commands of the whole test suite, in the order in which they fail fastest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from filae_ops.console import say, step
from filae_ops.paths import data_path

TARGETS = ["filae_ops", "tests", "benchmarks", "playbooks", "roles"]


def linters() -> list[list[str]]:
    """Return the linters' command lines."""
    tool = Path(sys.executable).parent
    return [
        [str(tool / "ruff"), "check", *TARGETS],
        [str(tool / "mypy"), "filae_ops"],
        [str(tool / "yamllint"), "--strict", "."],
        [
            str(tool / "ansible-lint"),
            "--offline",
            "--profile",
            "production",
            "--strict",
            *_lintables(),
        ],
    ]


def _lintables() -> list[str]:
    """Return playbooks and roles by name: given as a folder, playbooks/ would be taken for a role."""
    return [*map(str, sorted(Path("playbooks").glob("*.yml"))), *map(str, sorted(Path("roles").iterdir()))]


def pytest_argv(extra: Sequence[str], *, unit: bool, long: bool) -> list[str]:
    """Return the test run's command line.

    The scenarios wait more than they compute: one worker more than processors keeps these busy. The order is kept, so
    that the long scenarios come first and the unit tests fill what remains.
    """
    argv = [sys.executable, "-m", "pytest", "-q"]
    if not any(not word.startswith("-") for word in extra):
        argv += [] if unit else ["tests/scenarios"]
        argv += ["tests/unit", "tests/templates"]
        argv += ["--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    return [*argv, *(["--long"] if long else []), *extra]


def run_all(commands: Sequence[Sequence[str]]) -> int:
    """Run them all, so that one run shows every failure; return 0 when all passed."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(data_path("ansible.cfg"))}
    environment["ANSIBLE_INVENTORY"] = str(Path("inventories/demo/hosts.yml").absolute())
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    failed = []
    for argv in commands:
        title = " ".join([Path(argv[0]).name, *argv[1:]])
        step(title)
        start = time.monotonic()
        if subprocess.run(list(argv), env=environment).returncode != 0:
            failed.append(title)
        say(f"  {time.monotonic() - start:.0f} s")
    for title in failed:
        say(f"FAILED: {title}")
    return 1 if failed else 0
