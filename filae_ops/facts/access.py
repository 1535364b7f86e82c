"""Who may enter, and with which rights."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH119, PTH207

from __future__ import annotations

import glob
import grp
import os
import pwd
import re
from typing import Any

from filae_ops.facts.gathering import Expected, command, part, read

GROUPS = ("sudo", "filae-operators", "filae-dsi", "root", "adm", "shadow", "docker", "lxd", "disk")
KEYS = "/etc/ssh/authorized_keys.d"


@part
def sshd(expected: Expected) -> dict[str, list[str]]:
    """Return sshd's effective settings for a login as root from the administration network."""
    address = expected.get("client") or "192.0.2.1"
    text = command("/usr/sbin/sshd", "-T", "-C", f"user=root,host={address},addr={address}")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    return found


@part
def accounts(_: Expected) -> dict[str, Any]:
    """Return the accounts: never a password's hash, only whether there is one."""
    shadow = {fields[0]: fields for fields in (line.split(":") for line in read("/etc/shadow").splitlines())}
    people = {}
    for entry in pwd.getpwall():
        fields = shadow.get(entry.pw_name, ["", "!", *[""] * 7])
        people[entry.pw_name] = {
            "uid": entry.pw_uid,
            "shell": entry.pw_shell,
            "password": fields[1][:1] not in ("!", "*"),
            "locked": fields[7] == "1",
            "group": _group(entry.pw_gid),
            "home": entry.pw_dir,
        }
    members = {group.gr_name: sorted(group.gr_mem) for group in grp.getgrall() if group.gr_mem}
    # gshadow(5): whoever knows a group's password enters it.
    rows = [line.split(":") for line in read("/etc/gshadow").splitlines()]
    open_groups = sorted(row[0] for row in rows if len(row) > 1 and row[1][:1] not in ("!", "*"))
    return {
        "accounts": people, "groups": {name: _members(name) for name in GROUPS}, "members": members,
        "group_passwords": open_groups,
    }  # fmt: skip


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _members(name: str) -> list[str]:
    try:
        group = grp.getgrnam(name)
    except KeyError:
        return []
    primary = [entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == group.gr_gid]
    return sorted({*group.gr_mem, *primary})


@part
def keys(_: Expected) -> dict[str, list[dict[str, str]]]:
    """Return the keys that sshd accepts, by account: what they are and when they end."""
    found: dict[str, list[dict[str, str]]] = {}
    for path in sorted(glob.glob(f"{KEYS}/*")):
        rows = [row.strip() for row in read(path).splitlines()]
        found[os.path.basename(path)] = [_key(row) for row in rows if row and not row.startswith("#")]
    return found


def _key(row: str) -> dict[str, str]:
    until = re.search(r'expiry-time="(\d{8})', row)
    key = re.search(r"\b((?:sk-)?(?:ssh|ecdsa)-[\w@.-]+ [A-Za-z0-9+/=]+)", row)
    return {"key": key[1] if key else row[:80], "until": until[1] if until else ""}


@part
def sudoers(_: Expected) -> list[dict[str, str]]:
    """Return every line that gives rights: for whom, in which file."""
    paths = ["/etc/sudoers"]
    paths += [p for p in sorted(glob.glob("/etc/sudoers.d/*")) if "." not in os.path.basename(p) and p[-1] != "~"]
    found = []
    for path in paths:
        text = re.sub(r"\\\n", " ", read(path))
        for row in text.splitlines():
            row = row.strip()
            if row and not re.match(r"#|@include|Defaults|(Cmnd|User|Host|Runas)_Alias", row):
                found.append({"who": row.split()[0], "file": path})
    return found
