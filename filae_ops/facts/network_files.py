"""The files that name hosts, networks and name servers, as Debian and its installer write them.

Sources: hosts(5), networks(5), resolv.conf(5).
"""

from __future__ import annotations

import functools
import ipaddress
import re

from filae_ops.facts.gathering import Expected, Unmeasured, command, part, read
from filae_ops.facts.pam_profiles import effective

NETWORKS = ["default 0.0.0.0", "loopback 127.0.0.0", "link-local 169.254.0.0"]
STUB = "127.0.0.53"
BEHIND_STUB = "/run/systemd/resolve/resolv.conf"


def networks(path: str) -> bool:
    """Tell whether /etc/networks has the names of the installer alone."""
    return set(effective(read(path))) <= set(NETWORKS)


def hosts(path: str) -> bool:
    """Tell whether /etc/hosts names this machine and itself alone."""
    # Not what the kernel or this very file calls it.
    written = read("/etc/hostname").strip()
    own = {written, written.partition(".")[0]}
    for row in effective(read(path)):
        address, *names = row.split()
        known = address.startswith(("127.", "ff0", "fe00")) or address in ("::1", *_own_addresses())
        if not known or any(
            name not in own
            and not re.fullmatch(r"(ip6-)?(localhost|loopback|localnet|mcastprefix|all\w+)(\.localdomain)?", name)
            and name.partition(".")[0] not in own - {""}
            for name in names
        ):
            return False
    return True


@functools.cache
def _own_addresses() -> frozenset[str]:
    try:
        return frozenset(re.findall(r"inet6? ([0-9a-f.:]+)/", command("ip", "-o", "address")))
    except Unmeasured:
        return frozenset()


def resolver(path: str) -> bool:
    """Tell whether /etc/resolv.conf has its own settings alone; the servers are compared with the declared ones."""
    form = r"(nameserver|search|domain|options) [\w.:%-]+( [\w.:%-]+)*"
    return all(re.fullmatch(form, row.partition(";")[0].strip() or "search .") for row in effective(read(path)))


@part
def resolver_servers(_: Expected) -> list[str]:
    """Return the name servers of other machines that programs ask: those behind systemd-resolved, where it answers."""
    servers = _servers("/etc/resolv.conf")
    servers = _servers(BEHIND_STUB) if servers == [STUB] else servers
    return [each for each in servers if not _of_this_machine(each)]


def _servers(path: str) -> list[str]:
    return re.findall(r"^\s*nameserver\s+(\S+)", read(path), re.M)


def _of_this_machine(server: str) -> bool:
    """Tell whether a server is this machine's own, whose socket is told with the others."""
    try:
        return ipaddress.ip_address(server.partition("%")[0]).is_loopback
    except ValueError:
        return False
