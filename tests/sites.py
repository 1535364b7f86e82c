"""A machine of the lab as a sysadmin sees it: its inventory, filae-ops on it, and commands as root."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from filae_ops.lab import lifecycle
from filae_ops.lab.machine import Machine

CLI = [sys.executable, "-m", "filae_ops"]
# Seconds. No test asks how quick something is by this: it only ends what would never end.
LONG = 300.0


@dataclass
class Site:
    """A machine, its inventory, and what a sysadmin does with them."""

    machine: Machine

    @property
    def inventory(self) -> Path:
        return self.machine.inventory

    def ops(
        self, *words: str, timeout: float = LONG, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run filae-ops on this inventory."""
        return run_ops("-i", str(self.inventory), *words, timeout=timeout, env=env)

    def run(self, *words: str, timeout: float = LONG) -> subprocess.CompletedProcess[str]:
        """Run a command on the machine as root; one word is a shell line, several are quoted words."""
        line = words[0] if len(words) == 1 else shlex.join(words)
        argv = lifecycle.ssh_argv(self.machine, [f"sudo sh -c {shlex.quote(line)}"])
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)


def run_ops(*words: str, timeout: float = LONG, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run filae-ops as a person would, and keep both outputs."""
    return subprocess.run(
        [*CLI, *words], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


def say(message: str) -> None:
    print(message, file=sys.stderr)
