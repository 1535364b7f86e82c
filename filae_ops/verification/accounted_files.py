"""The files that decide on a machine and nothing accounts for: no package, no role, not the agent nor the inventory.

The machine says what is there and which of Debian's packages it is of (`facts/decisive.py`); what is ours is compared
here with what was rendered here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from typing import Any, Literal

from filae_ops.inventory.model.additions import Addition, accounts_for
from filae_ops.verification.placed_by_roles import Placement

Row = Mapping[str, Any]
AGENT = "filaectl"
"""The source of what the agent places, beside those of the roles."""
What = Literal["unknown", "changed", "absent", "attributes", "loose"]
# First match, of the place itself or below it. What is in none decides in no way that is looked at here: logs,
# attachments, the agent's own state.
THEMES: Mapping[str, tuple[str, ...]] = {
    "sudo": ("/etc/sudo*",),
    "ssh": ("/etc/ssh", "/root/.ssh"),
    "accounts": (
        "/etc/pam.d", "/etc/pam.conf", "/etc/security", "/etc/login.defs", "/etc/nsswitch.conf", "/etc/shells",
        "/etc/adduser.conf", "/etc/deluser.conf",
    ),
    "services": (
        "/etc/systemd", "/etc/init.d", "/etc/rc[0-6S].d", "/etc/rc.local", "/etc/default", "/etc/dbus-1",
        "/etc/polkit-1", "/etc/tmpfiles.d", "/etc/sysusers.d", "/etc/udev", "/etc/binfmt.d", "/run/systemd",
        "/run/udev", "/run/tmpfiles.d", "/usr/lib/systemd", "/usr/lib/udev", "/usr/lib/tmpfiles.d",
        "/usr/lib/sysusers.d",
        "/usr/local/lib/systemd", "/usr/share/dbus-1", "/usr/share/polkit-1", "/run/sysusers.d", "/run/binfmt.d",
        "/run/extensions", "/run/confexts", "/var/lib/extensions", "/var/lib/confexts", "/var/lib/portables",
        "/var/lib/systemd/linger", "/run/environment.d", "/run/polkit-1", "/run/dbus-1",
    ),
    "schedules": ("/etc/cron*", "/etc/anacrontab", "/etc/at.*", "/etc/logrotate.*", "/var/spool/cron"),
    "packages": (
        "/etc/apt", "/etc/dpkg", "/etc/needrestart", "/etc/debconf.conf", "/etc/ucf.conf", "/usr/share/keyrings",
    ),
    "web": ("/etc/nginx", "/var/www", "/run/nginx", "/usr/share/nginx"),
    "database": ("/etc/postgresql", "/etc/postgresql-common"),
    "kernel": (
        "/etc/sysctl.conf", "/etc/sysctl.d", "/etc/modprobe.d", "/etc/modules", "/etc/modules-load.d", "/etc/kernel",
        "/etc/initramfs-tools", "/etc/grub.d", "/run/sysctl.d", "/run/modprobe.d", "/run/modules-load.d",
        "/usr/lib/sysctl.d", "/usr/lib/modprobe.d",
        "/usr/lib/modules-load.d", "/usr/lib/modules",
    ),
    "shells": (
        "/etc/profile", "/etc/profile.d", "/etc/bash*", "/etc/environment", "/etc/environment.d", "/etc/skel",
        "/etc/inputrc", "/etc/zsh", "/etc/xdg", "/root/.bash_aliases", "/root/.bash_login", "/root/.bash_logout",
        "/root/.bash_profile", "/root/.bashrc", "/root/.profile", "/root/.z*", "/root/.pam_environment",
        "/root/.config", "/root/.local", "/root/.bundle", "/root/.gemrc", "/root/.gitconfig", "/root/.irbrc",
        "/root/.psqlrc", "/root/.vimrc", "/root/.selected_editor", "/root/.dpkg.cfg", "/root/.curlrc",
        "/root/.wgetrc",
    ),
    "network": (
        "/etc/hosts*", "/etc/host.conf", "/etc/network*", "/etc/netplan", "/etc/resolv*", "/etc/gai.conf",
        "/etc/nftables.conf", "/etc/dhcp*", "/etc/NetworkManager", "/etc/iproute2", "/etc/ppp",
    ),
    "filae": ("/etc/filae", "/usr/local/sbin/filaectl"),
    "programs": (
        "/usr", "/var/lib/gems", "/var/lib/ruby",
        "/etc/ld.so*", "/etc/alternatives", "/etc/ssl", "/etc/ca-certificates*", "/etc/python3*", "/etc/perl",
    ),
    "settings": ("/etc",),
}  # fmt: skip
# Below these, what is in no theme is data: the application's, the agent's, logs. Elsewhere it is a folder above others,
# or what a unit starts or the inventory declares, and only who may change it is judged.
DATA = ("/opt/filae/", "/root/", "/srv/filae/", "/var/cache/filae", "/var/lib/filae-ops", "/var/log/")
_BELOW = {
    theme: re.compile("|".join(translate(form) for place in places for form in (place, f"{place}/*")))
    for theme, places in THEMES.items()
}


@dataclass(frozen=True)
class Leftover:
    """One thing that is not as what accounts for it has it, or that nothing accounts for.

    `source`: whose it should be, as `package nginx-common`, a role's name, AGENT; empty for a stranger's. `declare`:
    what declares it in the inventory, such as {"path": "/etc/cron.d/backup"}; None where nothing can.
    """

    theme: str
    name: str
    what: What
    source: str = ""
    declare: Mapping[str, str] | None = None


def declaration(kind: str, name: str) -> dict[str, str] | None:
    """Return what would declare a thing, where the inventory takes it."""
    try:
        Addition.model_validate({kind: name, "purpose": "-"})
    except ValueError:
        return None
    return {kind: name}


def with_agent(placed: Mapping[str, Placement], entries: Sequence[Row]) -> dict[str, Placement]:
    """Return what the roles place and, over it, what the agent says that it places."""
    own = {row["path"]: {key: value for key, value in row.items() if key != "path"} for row in entries}
    return {**placed, **{path: Placement(role=AGENT, **row) for path, row in own.items()}}


def theme_of(path: str) -> str:
    """Return the theme of a path; empty where nothing there decides."""
    return next((theme for theme, pattern in _BELOW.items() if pattern.match(path)), "")


def files(rows: Sequence[Row], placed: Mapping[str, Placement], additions: Sequence[Addition]) -> Iterator[Leftover]:
    """Return the files, links and directories that are not accounted for, and those of ours that are not as placed."""
    exact = {path: each for path, each in placed.items() if "*" not in path}
    patterns = {path: each for path, each in placed.items() if "*" in path}
    for row in rows:
        path, theme = row["path"], theme_of(row["path"])
        wanted = exact.get(path) or next((each for mask, each in patterns.items() if _matches(path, mask)), None)
        if wanted is not None:
            if what := differs(row, wanted):
                yield Leftover(theme or "filae", path, what, wanted.role)
        elif theme or not path.startswith(DATA):
            yield from _foreign(row, theme, additions)
    there = {row["path"] for row in rows}
    for path, each in exact.items():
        if path not in there and not each.optional:
            yield Leftover(theme_of(path) or "filae", path, "absent", each.role)


def differs(row: Row, wanted: Placement) -> What | None:
    """Return how what is there is not what was to be placed."""
    if row["kind"] == "missing":
        return "absent"
    if row["kind"] != wanted.kind or (wanted.sha256 is not None and row["sha256"] != wanted.sha256):
        return "changed"
    if wanted.kind == "link":
        return None if wanted.target in (None, row["target"]) else "changed"
    return (
        None if (row["user"], row["group"], row["mode"]) == (wanted.user, wanted.group, wanted.mode) else "attributes"
    )


def _foreign(row: Row, theme: str, additions: Sequence[Addition]) -> Iterator[Leftover]:
    path = row["path"]
    if row["kind"] == "missing" and not row.get("package"):
        yield Leftover(theme, f"{path} (absent)", "unknown")
    elif row.get("package"):
        yield Leftover(theme, path, "absent" if row["kind"] == "missing" else "changed", f"package {row['package']}")
    elif theme and row["kind"] != "directory" and not row["by"] and accounts_for(additions, path) is None:
        yield Leftover(theme, path, "unknown", declare=declaration("path", path))
    # A declaration accounts for another owner, never for what anybody may change.
    if row.get("loose") and (accounts_for(additions, path) is None or int(row["mode"], 8) & 0o002):
        yield Leftover(theme or "programs", path, "loose", declare=declaration("path", path))


def _matches(path: str, mask: str) -> bool:
    folder, _, name = path.rpartition("/")
    kept, _, pattern = mask.rpartition("/")
    return folder == kept and fnmatchcase(name, pattern)
