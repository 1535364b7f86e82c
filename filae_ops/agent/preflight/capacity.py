"""Whether the machine has the room: disk for a release and for the dump, memory for two colours or for one."""

from __future__ import annotations

import os
import re
from pathlib import Path

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import migration_check, postgresql
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import SLICE
from filae_ops.agent.system.machine import Machine

MIB = 1024 * 1024
OF_SLICE = 80  # percent of the machine's memory, as roles/app has it


def disk_free(machine: Machine) -> int:
    """Return the bytes that are free where releases go."""
    place = machine.layout.releases
    while not place.exists():
        place = place.parent
    state = os.statvfs(place)
    return state.f_bavail * state.f_frsize


def disk_room(size: int, free: int, dump: int = 0) -> None:
    """Refuse when the disk has not three times the release, and a dump, free."""
    if free < 3 * size + dump:
        also = f", and the database to dump {dump // MIB} MiB" if dump else ""
        raise Refused(
            f"disk: {free // MIB} MiB free under /opt/filae; 3 times the release is {3 * size // MIB} MiB{also}",
            owner="dsi",
            next_step="enlarge the disk, or look for what fills it: du -xh / | sort -h | tail",
        )


def dump_room(machine: Machine, change: migration_check.Change | None) -> int:
    """Return the bytes that the dump may take beside the releases; refuse when its own disk lacks them."""
    if change is None or change.found is None:
        return 0
    needed = postgresql.size(machine)
    if machine.layout.state.stat().st_dev == machine.layout.releases.stat().st_dev:
        return needed
    state = os.statvfs(machine.layout.state)
    if state.f_bavail * state.f_frsize < needed:
        raise Refused(
            f"disk: {state.f_bavail * state.f_frsize // MIB} MiB free under {machine.layout.state}; "
            f"the dump before the migration may take {needed // MIB} MiB",
            owner="dsi",
            next_step="enlarge the disk",
        )
    return 0


def memory_available(machine: Machine) -> int:
    """Return the bytes that the application can have without swapping, within its slice; 0 when unknown."""
    root = machine.layout.root
    known = {
        name: int(number) * 1024
        for name, number in re.findall(r"^(\w+):\s+(\d+) kB", _text(root / "proc/meminfo"), re.M)
    }
    if "MemAvailable" not in known:
        return 0
    # What is no cache: that goes when it is in the way.
    used = re.search(r"^anon (\d+)", _text(root / f"sys/fs/cgroup/{SLICE}/memory.stat"), re.M)
    left = known["MemTotal"] * OF_SLICE // 100 - (int(used[1]) if used else 0)
    return max(1, min(known["MemAvailable"], left))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def mode(contract: Contract, available: int, live: Contract | None) -> str:
    """Return "two", or "one" when memory is short beside the live release and enough in its place; else refuse."""
    needed, freed = contract.memory, live.memory if live else 0
    if not available or available >= needed:
        return "two"
    if freed and available + freed >= needed:
        return "one"
    beside = f", {freed // MIB} MiB more once {live.version} is stopped" if live and freed else ""
    raise Refused(
        f"memory: {available // MIB} MiB available{beside}; a colour needs {needed // MIB} MiB",
        owner="dsi",
        next_step="give the machine more memory",
    )
