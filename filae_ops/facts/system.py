"""The system itself: version, stops, disks, clock, journal."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH110, PTH116, PTH119, PTH207

from __future__ import annotations

import glob
import json
import os
import re
import time
from typing import Any

from filae_ops.facts.gathering import Expected, Unmeasured, command, part, read

REAL = ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "overlay")
JOURNAL_STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"  # systemd's message catalogue: journald stopped in order
# What journald says of itself; the number of a message alone is what any process may write.
JOURNALD = "_TRANSPORT=driver"
BOOT_TAIL_S = 5
DISK_ERRORS = r"EXT4-fs error|XFS .*orruption|BTRFS.*error|I/O error|[Mm]edium error|[Rr]emounting filesystem read-only"
NO_DISK = r"\bdev (fd|sr)\d"  # drives without a medium, which virtual machines often have
DAYS = 30


@part
def system(_: Expected) -> dict[str, Any]:
    """Return the system's version, age and pending restart."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', read("/etc/os-release"), re.M))
    births = [float(command("stat", "--format=%W", "/etc/filae", statuses=(0, 1)).strip() or 0)]
    births += [os.stat("/etc/machine-id").st_mtime]
    return {
        "id": release.get("ID", ""),
        "version": release.get("VERSION_ID", ""),
        "now": time.time(),
        "installed": next(birth for birth in births if birth),
        "unfinished": sorted(set(read("/var/lib/filae-ops/unfinished").split())),
        "reboot_required": os.path.exists("/run/reboot-required"),
        "reboot_for": sorted(set(read("/run/reboot-required.pkgs").split())),
        "container": command("systemd-detect-virt", "--container", statuses=(0, 1)).strip(),
        "timezone": os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2],
    }


@part
def boots(_: Expected) -> dict[str, Any]:
    """Return the stops of the last month: in order when journald said so at the end, else not."""
    known = json.loads(command("journalctl", "--list-boots", "--output=json") or "[]")
    argv = ("journalctl", "--output=json", "--output-fields=_BOOT_ID", JOURNALD, f"MESSAGE_ID={JOURNAL_STOPPED}")
    stops = [json.loads(line) for line in command(*argv, statuses=(0, 1)).splitlines() if line.startswith("{")]
    ends = {(stop["_BOOT_ID"], int(stop["__REALTIME_TIMESTAMP"]) // 1_000_000) for stop in stops}
    since = time.time() - DAYS * 86400
    unclean = []
    for boot in known[:-1]:
        last = boot["last_entry"] // 1_000_000
        clean = any(name == boot["boot_id"] and when >= last - BOOT_TAIL_S for name, when in ends)
        if last >= since and not clean:
            unclean.append(last)
    return {"boots": len(known), "unclean": unclean, "days": DAYS}


@part
def disks(_: Expected) -> dict[str, Any]:
    """Return each real file system: its room, whether it is read-only, errors that it counts."""
    mounts = [line.split() for line in read("/proc/self/mounts").splitlines()]
    found = []
    for device, point, kind, options, *_rest in mounts:
        if kind not in REAL or point.startswith(("/run/", "/proc", "/sys")):
            continue
        room = os.statvfs(point)
        found.append(
            {
                "point": point,
                "type": kind,
                "read_only": "ro" in options.split(","),
                "total": room.f_frsize * room.f_blocks,
                "free": room.f_frsize * room.f_bavail,
                "inodes": room.f_files,
                "inodes_free": room.f_favail,
                "errors": _errors(device) if kind == "ext4" else None,
            }
        )
    return {"mounts": found}


def _errors(device: str) -> int | None:
    counted = read(f"/sys/fs/ext4/{os.path.basename(os.path.realpath(device))}/errors_count").strip()
    return int(counted) if counted else None


@part
def kernel_log(_: Expected) -> dict[str, Any]:
    """Return what the kernel says of the disks since a month."""
    base = ("journalctl", "_TRANSPORT=kernel", f"--since=-{DAYS}d", "--output=short-iso", "--no-pager")
    if not command(*base, "--lines=1", "--quiet", statuses=(0, 1)).strip():
        raise Unmeasured("the machine sees no kernel log (a container, or a journal that was emptied)")
    lines = command(*base, "--quiet", f"--grep={DISK_ERRORS}", "--lines=20", statuses=(0, 1)).splitlines()
    return {"errors": [line[:200] for line in lines if not re.search(NO_DISK, line)], "days": DAYS}


@part
def clock(_: Expected) -> dict[str, Any]:
    """Return chronyd's own account of the clock."""
    fields = command("chronyc", "-n", "-c", "tracking", seconds=5).strip().split(",")
    if len(fields) < 14:
        raise Unmeasured(f"chronyc says: {','.join(fields)[:100]}")
    return {
        "source": fields[1],
        "stratum": int(fields[2]),
        "offset": float(fields[4]),
        "leap": fields[13],
        "reference": float(fields[3]),
    }


@part
def journal(_: Expected) -> dict[str, Any]:
    """Return whether the journals, the system's and the application's, are kept across restarts, and for how long."""
    paths = ["/etc/systemd/journald.conf", *sorted(glob.glob("/etc/systemd/journald.conf.d/*.conf"))]
    return {**_journal("", paths), "application": _journal(".filae", ["/etc/systemd/journald@filae.conf"])}


def _journal(suffix: str, paths: list[str]) -> dict[str, Any]:
    settings: dict[str, str] = {}
    for path in paths:
        settings |= dict(re.findall(r"^(\w+)=(.*)$", read(path), re.M))
    machine = read("/etc/machine-id").strip()
    return {"settings": settings, "persistent": bool(glob.glob(f"/var/log/journal/{machine}{suffix}/system.journal"))}
