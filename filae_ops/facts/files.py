"""Modes and owners of what must not be read or written by others."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH112, PTH207

from __future__ import annotations

import glob
import grp
import os
import pwd
import stat
from typing import Any

from filae_ops.facts.gathering import Expected, part

WATCHED = (
    "/etc/filae", "/etc/filae/tls", "/etc/filae/tls/key.pem", "/etc/filae/secrets", "/etc/filae/settings.json",
    "/etc/filae/agent.json", "/etc/filae/allowed_signers", "/etc/filae/firewall.nft", "/etc/sudoers.d/filae-operators",
    "/etc/sudoers.d/filae-dsi", "/etc/ssh/authorized_keys.d", "/usr/local/sbin/filaectl", "/var/lib/filae-ops",
    "/var/lib/filae-ops/journal.jsonl", "/srv/filae", "/srv/filae/files", "/opt/filae", "/opt/filae/releases",
    "/etc/ssh/sshd_config.d/00-filae.conf",
)  # fmt: skip
TREES = ("/opt/filae/releases", "/etc/nginx", "/etc/filae", "/etc/systemd/system", "/etc/ssh", "/etc/sudoers.d")
LIMIT = 20


@part
def files(_: Expected) -> dict[str, Any]:
    """Return the modes of the files that matter, and whatever others may write in the protected trees."""
    secret = glob.glob("/etc/filae/secrets/*") + glob.glob("/etc/filae/tls/**/*key*", recursive=True)
    watched = {path: shown(path) for path in {*WATCHED, *secret} if os.path.lexists(path)}
    return {"files": watched, "secret": sorted(secret), "loose": _loose()}


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


def _loose() -> list[str]:
    """Return what is not root's, or what others may write, in the trees that root alone may change."""
    found: list[str] = []
    pending = [tree for tree in TREES if os.path.isdir(tree)]
    while pending and len(found) < LIMIT:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                about = entry.stat(follow_symlinks=False)
                if entry.is_symlink():
                    continue
                if about.st_uid != 0 or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                    found.append(f"{entry.path} ({stat.S_IMODE(about.st_mode):04o}, uid {about.st_uid})")
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
    return sorted(found)[:LIMIT]
