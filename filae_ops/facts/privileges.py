"""Programs that give rights to whoever runs them: setuid, setgid, file capabilities, on every file system."""

# One process, many files: plain functions are enough, and quick.

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import Any

from filae_ops.facts import package_files
from filae_ops.facts.decisive import group_name, user_name
from filae_ops.facts.gathering import Expected, part, read
from filae_ops.facts.system import REAL

SECONDS = 20.0
SHOWN = 50


@part
def privileges(_: Expected) -> dict[str, Any]:
    """Return each program with setuid, setgid or capabilities: path, rights, package; and whether all was read."""
    limit, found = time.monotonic() + SECONDS, []
    points = {
        line.split()[1]: line.split()[3]
        for line in read("/proc/self/mounts").splitlines()
        if line.split()[2] in (*REAL, "tmpfs")
    }
    points["/tmp"] = points["/dev/shm"] = points["/run"] = ""  # noqa: S108
    for point, options in points.items():
        if "nosuid" not in options.split(","):
            found += _below(point, limit)
        if len(found) > SHOWN:
            break
    return {"programs": found[:SHOWN], "whole": time.monotonic() < limit and len(found) <= SHOWN}


def _below(point: str, limit: float) -> list[dict[str, str]]:
    found = []
    try:
        device = os.lstat(point).st_dev
    except OSError:
        return []
    pending = [point]
    while pending and time.monotonic() < limit:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(about.st_mode):
                    if about.st_dev == device:
                        pending.append(entry.path)
                elif rights := _rights(entry.path, about):
                    path = package_files.merged(entry.path)
                    found.append({"path": path, "rights": rights, "package": package_files.owners().get(path, "")})
    return found


def _rights(path: str, about: os.stat_result) -> str:
    if not stat.S_ISREG(about.st_mode) or not about.st_mode & 0o111:
        return ""
    if about.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return f"{stat.S_IMODE(about.st_mode):04o} {user_name(about.st_uid)}:{group_name(about.st_gid)}"
    try:
        return f"capabilities {os.getxattr(path, 'security.capability', follow_symlinks=False).hex()}"
    except OSError:
        return ""
