"""systemd's units: what runs, what starts with the machine, how far each is closed in."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH115, PTH116, PTH207

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import re
from typing import Any

from filae_ops.facts.files import shown
from filae_ops.facts.gathering import Expected, command, part, read

WATCHED = (
    "nginx.service", "postgresql.service", "postgresql@17-main.service", "ssh.service", "chrony.service",
    "filae-firewall.service", "filae-recover.service", "filae.target", "systemd-journald.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "qemu-guest-agent.service", "open-vm-tools.service",
    "hv-kvp-daemon.service",
)  # fmt: skip
FIELDS = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts"


@part
def units(_: Expected) -> dict[str, Any]:
    """Return the state of the units that matter, of the application's, and the names of the failed ones."""
    own = sorted(_listed("filae-web@*", "filae-worker@*", "filae-timer@*.timer"))
    blocks = command("systemctl", "show", f"--property={FIELDS}", *WATCHED, *own).split("\n\n")
    shown = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    failed = sorted(_listed(state="failed"))
    return {"units": {unit["Id"]: unit for unit in shown if "Id" in unit}, "own": own, "failed": failed}


def _listed(*patterns: str, state: str = "") -> set[str]:
    argv = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--full", *patterns]
    lines = command(*argv, *([f"--state={state}"] if state else [])).splitlines()
    return {line.split()[0] for line in lines if line.strip()}


@part
def sandbox(_: Expected) -> dict[str, float]:
    """Return systemd's own measure of each unit's exposure, from 0 (closed) to 10 (open)."""
    names = [name for name in sorted(_listed("filae-web@*", "filae-worker@*")) if name.endswith(".service")]
    found = {}
    for name in names or ["filae-web@blue.service"]:
        text = command("systemd-analyze", "security", "--no-pager", name)
        if match := re.search(r"Overall exposure level for \S+: ([0-9.]+)", text):
            found[name] = float(match[1])
    return found


HELD = "Id,MainPID,PrivatePIDs,LogNamespace,Slice,MemoryMax,TasksMax,LimitNOFILE,LimitCORE"
USERS = ("filae", "filae_migrate")
OWN_UNIT = re.compile(r"/filae\.slice/filae-(web|worker|timer|run)")


@part
def isolation(_: Expected) -> dict[str, Any]:
    """Return what holds each running unit of the application, its sockets, and its processes outside of any unit."""
    blocks = command("systemctl", "show", f"--property={HELD}", "filae-web@*.service", "filae-worker@*.service")
    held = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks.split("\n\n")]
    running = {unit["Id"]: unit for unit in held if unit.get("MainPID", "0") != "0"}
    spaces = {name: os.readlink(f"/proc/{unit['MainPID']}/ns/pid") for name, unit in running.items()}
    return {
        "units": running,
        "namespaces": spaces | {"": os.readlink("/proc/1/ns/pid")},
        "sockets": {path: shown(path) for path in glob.glob("/run/filae/*.sock")},
        "strays": sorted(_strays()),
    }


def _strays() -> set[str]:
    """Return the programs that run as the application outside of its units, where nothing closes them in."""
    users = {entry.pw_uid for entry in pwd.getpwall() if entry.pw_name in USERS}
    found = set()
    for place in glob.glob("/proc/[0-9]*"):
        with contextlib.suppress(OSError):
            if os.stat(place).st_uid in users and not OWN_UNIT.search(read(f"{place}/cgroup")):
                found.add(f"{read(f'{place}/comm').strip()} ({place.removeprefix('/proc/')})")
    return found
