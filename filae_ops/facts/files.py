"""Modes and owners of what must not be read or written by others."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH207

from __future__ import annotations

import glob
import grp
import os
import pwd
import stat
from typing import Any

from filae_ops.facts.gathering import Expected, part


@part
def files(_: Expected) -> dict[str, Any]:
    """Return the modes of the files that hold secrets."""
    secret = glob.glob("/etc/filae/secrets/*") + glob.glob("/etc/filae/tls/**/*key*", recursive=True)
    return {"files": {path: shown(path) for path in secret}, "secret": sorted(secret)}


def shown(path: str) -> dict[str, Any]:
    """Return a file's mode, owner and group."""
    found = os.lstat(path)
    return {
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "user": _name(pwd.getpwuid, found.st_uid),
        "group": _name(grp.getgrgid, found.st_gid),
    }


def _name(lookup: Any, number: int) -> str:
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)
