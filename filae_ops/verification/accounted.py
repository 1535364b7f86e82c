"""What else decides and nothing accounts for: units, packages, accounts, rights, tables, sockets, processes."""

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


def accounts(
    people: Mapping[str, Mapping[str, Any]], named: set[str], additions: Sequence[Addition]
) -> Iterator[Leftover]:
    """Return the accounts that could open a session, or have a password, without being anybody's that is declared."""
    known = {"root", "nobody", *named, *(each.account for each in additions if each.account)}
    for name, about in people.items():
        person = about["uid"] >= 1000 and about["uid"] < 65534
        shell = about["shell"].rpartition("/")[2] not in ("nologin", "false", "sync", "") and name != "postgres"
        if name not in known and (person or shell or about["password"]):
            yield Leftover("accounts", name, "unknown", declare=declaration("account", name))


def sockets(
    waiting: Sequence[Row], fragments: Mapping[str, str], unknown: set[str], additions: Sequence[Addition]
) -> Iterator[Leftover]:
    """Return what waits for others in a unit that nothing accounts for, or in none."""
    for row in waiting:
        unit = row["unit"]
        fragment = fragments.get(unit, "")
        good = bool(fragment) and fragment not in unknown and not fragment.startswith("/run/systemd/transient/")
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


def strangers(
    facts: Mapping[str, Any], placed: Mapping[str, Placement], named: set[str], additions: Sequence[Addition]
) -> list[Leftover]:
    """Return all that nothing accounts for on a machine; `named`: the people of the inventory."""
    found = [*files(facts["decisive"]["rows"], placed, additions)]
    unknown = {each.name for each in found if each.what == "unknown"}
    manager = facts["manager"]
    found += [
        *units(manager["transient"], additions), *packages(facts["packages"]["sourceless"] or [], additions),
        *tables(facts["tables"], additions), *accounts(facts["accounts"]["accounts"], named, additions),
        *privileges(facts["privileges"]["programs"], additions), *processes(facts["processes"], additions),
        *sockets(facts["waiting"], manager["fragments"], unknown, additions),
    ]  # fmt: skip
    return [each for each in found if each.what == "unknown"]


PARTS = ("decisive", "manager", "packages", "tables", "accounts", "privileges", "processes", "waiting")
"""The facts that `strangers` looks at."""
