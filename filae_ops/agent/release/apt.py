"""Debian's packages that a release names: what is missing, one installation, and dpkg left in order."""

from __future__ import annotations

import fcntl
import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path

from filae_ops.agent.bundle import field_rules
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine

ENV = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "APT_LISTCHANGES_FRONTEND": "none"}
LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
_INSTALL = ["apt-get", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120",
            "-o", "Dpkg::Options::=--force-confold", "install", "--"]  # fmt: skip


def required(contract: Contract) -> list[str]:
    """Return the packages that a release needs: those it names, and Ruby where it names a Ruby."""
    names = contract.packages
    for name in names:
        try:
            field_rules.package(name)
        except ValueError as exc:
            raise Refused(f"debian_packages: {name!r:.100} {exc}", next_step="correct release.yml") from None
    return names


def missing(machine: Machine, names: Iterable[str]) -> list[str]:
    """Return the packages that are not installed."""
    wanted = list(names)
    if not wanted:
        return []
    argv = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted]
    lines = machine.runner.run(argv).out.splitlines()
    present = {line.split()[0] for line in lines if line.endswith(" installed")}
    return [name for name in wanted if name not in present]


def install(machine: Machine, names: list[str]) -> list[str]:
    """Install packages; when that fails, once more after reading the mirror's lists again."""
    if not names:
        return []
    if machine.runner.run([*_INSTALL, *names], timeout=1800, env=ENV).status != 0:
        machine.runner.must(["apt-get", "-q", "update"], timeout=600, env=ENV)
        machine.runner.must([*_INSTALL, *names], timeout=1800, env=ENV)
    return names


def settle(machine: Machine) -> None:
    """Configure what a cut installation left unpacked."""
    if machine.runner.run(["dpkg", "--audit"]).out.strip():
        machine.runner.must(["dpkg", "--configure", "-a"], timeout=900, env=ENV)


def busy(machine: Machine) -> str:
    """Return why dpkg cannot be used now, or nothing."""
    for lock in LOCKS:
        path = machine.layout.root / lock.lstrip("/")
        if path.exists() and _held(path):
            return f"another program installs packages ({lock} is locked)"
    if machine.runner.run(["dpkg", "--audit"]).out.strip():
        return "an installation of packages was interrupted (dpkg --audit)"
    return ""


def ruby(machine: Machine) -> str:
    """Return the version of Debian's Ruby, such as 3.3: the installed one, else the one to be installed."""
    if (machine.layout.root / "usr/bin/ruby").exists():
        return machine.runner.run(["/usr/bin/ruby", "-e", "print RUBY_VERSION[/\\A\\d+\\.\\d+/]"]).out.strip()
    shown = machine.runner.run(["apt-cache", "show", "--no-all-versions", "ruby"]).out
    match = re.search(r"^Depends:.*\bruby(\d+\.\d+)\b", shown, re.M)
    return match[1] if match else ""


def _held(path: Path) -> bool:
    """Ask who would be in the way, without taking the lock: two who look must not take each other for apt."""
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("r+b") as stream:
        found = fcntl.fcntl(stream, fcntl.F_GETLK, asked)
    return bool(struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK)
