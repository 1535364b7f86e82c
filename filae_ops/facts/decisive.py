"""Every file that decides what this machine does, and what accounts for it: a package, or a tool that made it from one.

What neither accounts for is compared, where this is read, with what the roles, the agent and the inventory put there.
"""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH115, PTH207

from __future__ import annotations

import contextlib
import glob
import grp
import hashlib
import os
import pwd
import re
import stat
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from filae_ops.facts import derived_files, package_files
from filae_ops.facts.gathering import Expected, open_plain, part, read

# Whole trees; then those of which only the first levels are ours (releases have a manifest, attachments are data).
TREES = (
    "/etc", "/usr", "/root", "/var/spool/cron", "/var/www", "/run/systemd/system", "/run/systemd/system.control",
    "/run/systemd/transient", "/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late",
    "/run/systemd/system-generators", "/run/systemd/system.conf.d", "/run/systemd/journald.conf.d",
    "/run/systemd/network", "/run/systemd/user", "/run/environment.d", "/run/udev/rules.d", "/run/tmpfiles.d",
    "/run/sysctl.d", "/run/modprobe.d", "/run/nginx", "/run/polkit-1", "/run/dbus-1", "/var/lib/systemd/linger",
    "/run/systemd/system.attached", "/run/systemd/user.control", "/run/systemd/user.conf.d", "/run/systemd/system.conf",
    "/run/systemd/logind.conf.d", "/run/systemd/resolved.conf.d", "/run/systemd/timesyncd.conf.d",
    "/run/systemd/networkd.conf.d", "/run/systemd/coredump.conf.d", "/run/systemd/sleep.conf.d",
    "/run/systemd/system-environment-generators", "/run/systemd/user-generators", "/run/systemd/system-preset",
    "/run/systemd/user-environment-generators", "/run/sysusers.d", "/run/modules-load.d", "/run/binfmt.d",
    "/run/udev/hwdb.d", "/run/extensions", "/run/confexts", "/var/lib/extensions", "/var/lib/confexts",
    "/var/lib/portables", "/var/lib/gems", "/var/lib/ruby",
)  # fmt: skip
SHALLOW = {
    "/opt/filae": 1, "/srv/filae": 2, "/var/lib/filae-ops": 2, "/var/cache/filae": 1, "/var/log/journal": 0,
    "/var/log/nginx": 1,
    # Whoever may change one of these puts another in place of what is below it.
    "/": 0, "/boot": 0, "/home": 0, "/opt": 0, "/run": 0, "/srv": 0, "/var": 0, "/var/lib": 0, "/var/lib/dpkg": 0,
    "/var/lib/dpkg/info": 0, "/var/spool": 0,
}  # fmt: skip
# Units without a file of their own: a session's, and those of the agent at work, which run as the application.
TRANSIENT = r"session-c?\d+\.scope|filae-(transaction|recoverer|run-[a-z0-9_-]+)\.service"
RUN_AS = ("filae", "filae_migrate")
SECRET_IN = {"/etc/nginx/filae/clients.conf": r"[A-Za-z0-9]{32}"}
# Places that a package gives to its own account.
THEIRS = {"/etc/postgresql": "postgres", "/etc/polkit-1": "polkitd", "/etc/chrony": "_chrony", "/var/www": "www-data"}
UNIT_FOLDERS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/run/systemd/system", "/run/systemd/transient")
DECLARED_DEPTH = 6
ROWS = 4000
LARGE = 64 * 1024 * 1024  # nothing that we place is as large
SECONDS = 30.0
Row = dict[str, Any]


@part
def decisive(expected: Expected) -> dict[str, Any]:
    """Return a row for each file, link and directory that no package accounts for, or that others may change.

    A row: path, kind, mode, user, group, sha256 (of a file), target (of a link), by (what accounts for it; empty:
    nothing), loose (others than root may change it). Files of packages that changed, or are gone, have one too.
    """
    limit, rows, strange = time.monotonic() + SECONDS, [], 0
    with ThreadPoolExecutor(1) as pool:
        verified = pool.submit(package_files.changed)  # dpkg reads every file of every package meanwhile
        entries = list(_entries(limit, expected.get("declared_paths", ())))
        verified.result()
    for path, about in entries:
        if (row := _row(path, about)) is not None:
            rows.append(row)
            strange += not row["by"]
        if strange >= ROWS:
            break
    gone = [path for path, what in package_files.changed().items() if what == "missing"]
    gone += [path for path in derived_files.ALWAYS if not os.path.lexists(path)]
    rows += [
        {"path": path, "kind": "missing", "by": "", "package": package_files.owners().get(path, "")} for path in gone
    ]
    return {"rows": rows, "seen": len(entries), "whole": strange < ROWS and time.monotonic() < limit}


def _entries(limit: float, declared: Sequence[str]) -> Iterator[tuple[str, os.stat_result]]:
    pending = [(tree, 99) for tree in TREES] + list(SHALLOW.items())
    # What is declared is read too, and what units start: that all may change it is no part of a declaration.
    others = {path for path in declared if not path.startswith(tuple(f"{tree}/" for tree in TREES))}
    started = _started(others)
    above = {str(folder) for path in {*others, *started} for folder in PurePosixPath(path).parents}
    pending += [(path, DECLARED_DEPTH) for path in others]
    pending += [(path, 0) for path in {*started, *above} - {*others, *SHALLOW, *TREES}]
    while pending and time.monotonic() < limit:
        top, depth = pending.pop()
        try:
            about = os.lstat(top)
            entries = [*os.scandir(top)] if stat.S_ISDIR(about.st_mode) and depth else []
        except OSError:  # it is not there, or has just gone
            continue
        yield top, about
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, depth - 1))
                else:
                    yield entry.path, entry.stat(follow_symlinks=False)


def _started(known: set[str]) -> set[str]:
    """Return the programs and scripts that units of this machine start from places that are not looked at whole."""
    texts = (read(path) for folder in UNIT_FOLDERS for path in glob.glob(f"{folder}/**/*", recursive=True))
    words = {word for text in texts for row in re.findall(r"^Exec\w+=(.*)$", text, re.M) for word in row.split()}
    places = {word.lstrip("@-:+!") for word in words}
    tops = tuple(f"{tree}/" for tree in (*TREES, "/bin", "/sbin", "/lib", "/opt/filae", "/srv/filae", "/run", "/proc"))
    return {path for path in places if path.startswith("/") and not path.startswith(tops) and path not in known}


def _row(path: str, about: os.stat_result) -> Row | None:
    """Return what is to be told of an entry; None when a package accounts for it and root alone may change it."""
    link, folder = stat.S_ISLNK(about.st_mode), stat.S_ISDIR(about.st_mode)
    target = os.readlink(path) if link else ""
    loose = not link and _loose(path, about)
    owner = package_files.owners().get(path)
    as_brought = owner and path not in package_files.changed() and not package_files.brought_otherwise(path, about)
    by = f"package {owner}" if as_brought else ""
    if by and link and not derived_files.leads_well(path):
        by = ""
    plain = stat.S_ISREG(about.st_mode)
    if not by and not owner and (plain or link):
        by = derived_files.made_by(path, target)
    # Of the many files below /usr, roles place none that a package has too.
    if not loose and ((path.startswith("/usr/") and (by or folder)) or _own_transient(path)):
        return None
    if not by and not os.path.lexists(path):  # gone since it was listed, as units without a file are
        return None
    kind = "link" if link else "directory" if folder else "file" if plain else "special"
    row: Row = {"path": path, "kind": kind, "by": by, "loose": loose, "mode": f"{stat.S_IMODE(about.st_mode):04o}"}
    row |= {"user": user_name(about.st_uid), "group": group_name(about.st_gid)}
    if kind == "file":
        row["sha256"] = _digest(path, SECRET_IN.get(path)) if about.st_size < LARGE else ""
    return row | ({"target": target} if link else {}) | ({"package": owner} if owner and not by else {})


def _own_transient(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if folder != "/run/systemd/transient" or not re.fullmatch(TRANSIENT, name):
        return False
    users = re.findall(r"^User=(.*)$", read(path), re.M)
    return not name.startswith("filae-run-") or (bool(users) and set(users) <= set(RUN_AS))


def _loose(path: str, about: os.stat_result) -> bool:
    """Tell whether another than root, or than the account that a package gives the place to, may change it."""
    place = next((top for top in THEIRS if path == top or path.startswith(f"{top}/")), "")
    owners = {"root", THEIRS.get(place, "root")}
    others = stat.S_IWOTH | (0 if _empty(about.st_gid) else stat.S_IWGRP)
    sticky = stat.S_ISDIR(about.st_mode) and bool(about.st_mode & stat.S_ISVTX)
    return user_name(about.st_uid) not in owners or bool(about.st_mode & others and not sticky) or _listed(path)


def _listed(path: str) -> bool:
    """Tell whether an access control list, acl(5), lets others than mode, owner and group say."""
    try:
        return bool(os.getxattr(path, "system.posix_acl_access", follow_symlinks=False))
    except OSError:
        return False


@cache
def _empty(number: int) -> bool:
    """Tell whether a group of the system's own has nobody in it but whoever it belongs to."""
    try:
        return (not grp.getgrgid(number).gr_mem and number == 0) or (
            grp.getgrgid(number).gr_name == "staff" and not grp.getgrgid(number).gr_mem
        )
    except KeyError:
        return False


def _digest(path: str, secret: str | None) -> str:
    """Return a file's digest; of one that holds a secret made here, that of its text around the secret."""
    try:
        with open_plain(path) as stream:
            if secret is None:
                return hashlib.file_digest(stream, "sha256").hexdigest()
            return hashlib.sha256(re.sub(secret.encode(), b"", stream.read(LARGE))).hexdigest()
    except OSError:
        return ""


@cache
def user_name(number: int) -> str:
    """Return the name of an account, or its number where it has none."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@cache
def group_name(number: int) -> str:
    """Return the name of a group, or its number where it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
