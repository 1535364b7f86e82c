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
from filae_ops.agent.system.process import Result, require_tool

ENV = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1", "APT_LISTCHANGES_FRONTEND": "none"}
LOCKS = ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock")
# Without Pattern-Only, apt takes a name that no package has as a regular expression.
_INSTALL = ["apt-get", "-q", "-y", "--no-install-recommends", "--no-remove", "-o", "APT::Cmd::Pattern-Only=true",
            "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold", "install", "--"]  # fmt: skip
# What apt says when the names are at fault, and no mirror, disk or lock.
_NAMES_AT_FAULT = re.compile(
    r"^E: (Unable to locate package|Package '.*' has no installation|Packages need to be rem)", re.M
)


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
    """Install packages, and remove none; when that fails, once more after reading the mirror's lists again."""
    if not names:
        return []
    argv = [*_INSTALL, *names]
    if machine.runner.run(argv, timeout=1800, env=ENV).status != 0:
        machine.runner.must(["apt-get", "-q", "update"], timeout=600, env=ENV)
        result = machine.runner.run(argv, timeout=1800, env=ENV)
        if _NAMES_AT_FAULT.search(result.err):
            raise _unfit(names, result)
        require_tool(argv, result)
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


def _unfit(names: list[str], result: Result) -> Refused:
    """Refuse names that are no package's, or whose packages would take another one away."""
    reasons = " | ".join(line.removeprefix("E: ") for line in result.err.splitlines() if line.startswith("E: "))
    removed = re.search(r"^The following packages will be REMOVED:\n((?: .*\n?)+)", result.out, re.M)
    lost = f" (they would take away {', '.join(removed[1].split())})" if removed else ""
    return Refused(
        f"debian_packages: {', '.join(names)} cannot be installed: {reasons[:400]}{lost}",
        owner="provider",
        next_step="name in release.yml packages of this Debian that remove no other, then build the bundle again",
    )


def _held(path: Path) -> bool:
    """Ask who would be in the way, without taking the lock: two who look must not take each other for apt."""
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("r+b") as stream:
        found = fcntl.fcntl(stream, fcntl.F_GETLK, asked)
    return bool(struct.unpack("hhqqi4x", found)[0] != fcntl.F_UNLCK)
