"""What decides and nothing accounts for: units, packages, accounts, rights, tables, sockets, programs, variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from filae_ops.inventory.model.additions import Addition, accounts_for, accounts_for_unit
from filae_ops.verification.accounted_files import Leftover, Row, declaration, files
from filae_ops.verification.placed_by_roles import Placement

# A session's, and those of the agent at work.
OWN_TRANSIENT = re.compile(r"session-c?\d+\.scope|filae-(transaction|recoverer|run-[a-z0-9_-]+)\.service")


def units(transient: Sequence[str], additions: Sequence[Addition]) -> Iterator[Leftover]:
    """Return the units that run without any file, and are neither a session's nor a transaction's of ours."""
    for name in transient:
        if not OWN_TRANSIENT.fullmatch(name) and accounts_for_unit(additions, name) is None:
            yield Leftover("services", name, "unknown", declare=declaration("unit", name))


def packages(sourceless: Sequence[str], additions: Sequence[Addition]) -> Iterator[Leftover]:
    """Return the packages that none of apt's sources offers and the inventory does not declare."""
    declared = {each.package for each in additions}
    for name in sourceless:
        if name not in declared:
            yield Leftover("packages", name, "unknown", declare=declaration("package", name))


def tables(names: Sequence[str], additions: Sequence[Addition]) -> Iterator[Leftover]:
    """Return the tables of the firewall that are neither ours nor declared."""
    known = {"inet filae", *(each.nft_table for each in additions)}
    for name in names:
        if name not in known:
            yield Leftover("network", name, "unknown", declare=declaration("nft_table", name))


NO_SESSION = {
    "/usr/sbin/nologin", "/sbin/nologin", "/usr/bin/false", "/bin/false", "/usr/bin/sync", "/bin/sync",
}  # fmt: skip
SESSION = {f"{place}/{name}" for place in ("/bin", "/usr/bin") for name in ("bash", "dash", "sh", "zsh")}
WITH_SESSION = {"root": "/root", "postgres": "/var/lib/postgresql"}
"""Debian's accounts that have a shell, with their homes."""


def accounts(
    people: Mapping[str, Mapping[str, Any]], named: set[str], additions: Sequence[Addition]
) -> Iterator[Leftover]:
    """Return the accounts that could open a session, or have a password, without being anybody's that is declared."""
    known = {"nobody", *named, *(each.account for each in additions if each.account)}
    numbers: set[int] = set()
    for name, about in people.items():
        person = about["uid"] >= 1000 and about["uid"] < 65534
        opens = about["shell"] not in NO_SESSION | (SESSION if name in WITH_SESSION else set())
        moved = about["home"] != WITH_SESSION.get(name, about["home"])
        odd = name not in known and (person or about["password"] or (opens and name not in WITH_SESSION))
        # An account of another's number is that other one, whatever its name; of two roots, access-root tells.
        twin = about["uid"] in numbers and about["uid"] != 0
        numbers.add(about["uid"])
        if odd or twin or moved or (opens and name in WITH_SESSION):
            yield Leftover("accounts", name, "unknown", declare=declaration("account", name))


# Who is in a group of the system's by what packages and roles do; people's own two are compared by name elsewhere.
MEMBERS = {"ssl-cert": {"postgres"}, "filae-door": {"www-data"}, "systemd-journal": set[str](), "postgres": set[str]()}
PEOPLE_S = ("filae-operators", "filae-dsi")


# Whose own group each of these is: what has one of them as its own has the rights of its members.
OWN_GROUPS = {
    "root": {"root"}, "postgres": {"postgres"}, "filae": {"filae", "filae_migrate"}, **{
        name: set[str]() for name in (
            "adm", "disk", "docker", "filae-door", "kmem", "lxd", "shadow", "ssl-cert", "sudo", "systemd-journal",
        )
    },
}  # fmt: skip


def memberships(accounts: Mapping[str, Any], trusted: set[str]) -> list[str]:
    """Return who is in a group without a package or a role having put them there, and is not declared.

    `accounts`: the facts of that name. A group's password is told as a member that anybody may be.
    """
    strangers = {
        f"{name} ({group})"
        for group, names in accounts["members"].items()
        if group not in PEOPLE_S
        for name in names
        if name not in MEMBERS.get(group, set()) | trusted
    }
    for name, about in accounts["accounts"].items():
        if name not in OWN_GROUPS.get(about["group"], {name}) | trusted:
            strangers.add(f"{name} ({about['group']})")
    return sorted(strangers | {f"* ({group})" for group in accounts["group_passwords"]})


# What our own settings have these listen on.
PORTS = {"nginx.service": {"80/tcp", "443/tcp"}, "ssh.service": {"22/tcp"}, "postgresql@17-main.service": set[str]()}


def sockets(
    waiting: Sequence[Row], fragments: Mapping[str, str], unknown: set[str], additions: Sequence[Addition]
) -> Iterator[Leftover]:
    """Return what waits for others in a unit that nothing accounts for, or in none."""
    for row in waiting:
        unit = row["unit"]
        fragment = fragments.get(unit, "")
        good = bool(fragment) and fragment not in unknown and not fragment.startswith("/run/systemd/transient/")
        good = good and row["socket"].rpartition(":")[2] in PORTS.get(unit, {row["socket"].rpartition(":")[2]})
        if not good and accounts_for_unit(additions, unit) is None:
            name = f"{row['program'] or 'a program'} on {row['socket']} ({unit or 'no unit'})"
            yield Leftover("network", name, "unknown", declare=declaration("unit", unit))


# What Debian 12 and 13 make setuid or setgid, with what hypervisors' and usual tools' packages do: path, mode, owner.
GRANTED = {
    "/usr/bin/chage": "2755 root:shadow", "/usr/bin/chfn": "4755 root:root", "/usr/bin/chsh": "4755 root:root",
    "/usr/bin/crontab": "2755 root:crontab", "/usr/bin/dotlockfile": "2755 root:mail",
    "/usr/bin/expiry": "2755 root:shadow",
    "/usr/bin/fusermount3": "4755 root:root", "/usr/bin/gpasswd": "4755 root:root", "/usr/bin/mount": "4755 root:root",
    "/usr/bin/newgrp": "4755 root:root", "/usr/bin/passwd": "4755 root:root", "/usr/bin/pkexec": "4755 root:root",
    "/usr/bin/ssh-agent": "2755 root:_ssh", "/usr/bin/su": "4755 root:root", "/usr/bin/sudo": "4755 root:root",
    "/usr/bin/umount": "4755 root:root", "/usr/bin/wall": "2755 root:tty", "/usr/bin/write": "2755 root:tty",
    "/usr/bin/write.ul": "2755 root:tty", "/usr/bin/bsd-write": "2755 root:tty", "/usr/bin/at": "6755 daemon:daemon",
    "/usr/bin/mlocate": "2755 root:mlocate", "/usr/bin/plocate": "2755 root:plocate",
    "/usr/bin/ntfs-3g": "4755 root:root",
    "/usr/bin/vmware-user-suid-wrapper": "4755 root:root", "/usr/sbin/exim4": "4755 root:root",
    "/usr/sbin/postdrop": "2555 root:postdrop", "/usr/sbin/postqueue": "2555 root:postdrop",
    "/usr/sbin/mount.nfs": "4755 root:root", "/usr/sbin/mount.cifs": "4755 root:root",
    "/usr/sbin/unix_chkpwd": "2755 root:shadow",
    "/usr/lib/dbus-1.0/dbus-daemon-launch-helper": "4754 root:messagebus",
    "/usr/lib/openssh/ssh-keysign": "4755 root:root", "/usr/lib/polkit-1/polkit-agent-helper-1": "4755 root:root",
}  # fmt: skip
# file capabilities(7), in the attribute's own bytes: cap_net_raw+ep, as iputils-ping has it.
CAPABLE = {
    "/usr/bin/ping": {"0100000200200000000000000000000000000000"},
    "/usr/bin/mtr-packet": {"0100000200200000000000000000000000000000"},
}


def privileges(programs: Sequence[Row], additions: Sequence[Addition]) -> Iterator[Leftover]:
    """Return the programs that give rights without being one that Debian gives them to, or a declared one."""
    for each in programs:
        path, rights = each["path"], each["rights"]
        kind, _, value = rights.partition(" ")
        known = value in CAPABLE.get(path, set()) if kind == "capabilities" else GRANTED.get(path) == rights
        if not (known and each["package"]) and accounts_for(additions, path) is None:
            yield Leftover("programs", f"{path} ({rights})", "unknown", declare=declaration("path", path))


def processes(running: Sequence[Row], additions: Sequence[Addition]) -> Iterator[Leftover]:
    """Return the programs that run, are of no package, and are neither a release's nor declared."""
    for each in running:
        program, unit = each["program"], each["unit"]
        ours = program.startswith("/opt/filae/releases/") and unit.startswith("filae-")
        if not ours and accounts_for(additions, program) is None and accounts_for_unit(additions, unit) is None:
            yield Leftover(
                "programs", f"{program} ({unit or 'no unit'})", "unknown", declare=declaration("path", program)
            )


# What systemd gives to each service, and nobody has to say.
PLAIN_ENVIRONMENT = {"LANG", "LANGUAGE", "PATH"}
PLAIN_PATH = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
# What the kernel does where no file says anything else: settings of Debian's own kernels.
KERNEL = {
    "kernel.modprobe": {"/sbin/modprobe", "/usr/sbin/modprobe"},
    "kernel.hotplug": {""},
    "kernel.poweroff_cmd": {"/sbin/poweroff", "/usr/sbin/poweroff"},
    "kernel.randomize_va_space": {"2"},
    "kernel.core_pattern": {"core"},
    "fs.suid_dumpable": {"0", "2"},
    "net.ipv4.ip_forward": {"0"},
    "net.ipv6.conf.all.forwarding": {"0"},
}


def variables(environment: Sequence[str]) -> list[str]:
    """Return what systemd's own environment gives to each service besides a language and a plain path."""
    pairs = [row.partition("=") for row in environment]
    odd = [name for name, _, _ in pairs if name not in PLAIN_ENVIRONMENT and not name.startswith("LC_")]
    return odd + [
        f"PATH={value}" for name, _, value in pairs if name == "PATH" and not set(value.split(":")) <= PLAIN_PATH
    ]


def kernel_settings(asked: Mapping[str, str], live: Mapping[str, str]) -> list[str]:
    """Return the kernel's settings that are not those of the files, nor Debian's where no file has them."""
    odd = [
        f"{key} = {live[key]}, written {value}" for key, value in asked.items() if live[key] != " ".join(value.split())
    ]
    return odd + [
        f"{key} = {live[key]}"
        for key, good in KERNEL.items()
        if key in live and key not in asked and live[key] not in good
    ]


def strangers(
    facts: Mapping[str, Any], placed: Mapping[str, Placement], named: set[str], additions: Sequence[Addition]
) -> list[Leftover]:
    """Return all that nothing accounts for, or others may change; `named`: the people of the inventory."""
    found = [*files(facts["decisive"]["rows"], placed, additions)]
    unknown = {each.name for each in found if each.what == "unknown"}
    manager = facts["manager"]
    found += [
        *units(manager["transient"], additions), *packages(facts["packages"]["sourceless"] or [], additions),
        *tables(facts["tables"], additions), *accounts(facts["accounts"]["accounts"], named, additions),
        *privileges(facts["privileges"]["programs"], additions), *processes(facts["processes"], additions),
        *sockets(facts["waiting"], manager["fragments"], unknown, additions),
    ]  # fmt: skip
    return [each for each in found if each.what in ("unknown", "loose")]


PARTS = ("decisive", "manager", "packages", "tables", "accounts", "privileges", "processes", "waiting")
"""The facts that `strangers` looks at."""
