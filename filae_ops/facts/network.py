"""What listens, and what the kernel filters."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH110

from __future__ import annotations

import os
import re
import socket
import tempfile
from typing import Any

from filae_ops.facts.gathering import Expected, Unmeasured, command, part, read

_LIST = ("nft", "--stateless", "list", "table", "inet", "filae")
BOOT_FILE = "/etc/filae/firewall.nft"


@part
def sockets(_: Expected) -> list[dict[str, Any]]:
    """Return every TCP and UDP socket that waits for others."""
    found: list[dict[str, Any]] = []
    for line in command("ss", "-H", "-l", "-t", "-u", "-n", "-p").splitlines():
        fields = line.split()
        address, port = fields[4].rsplit(":", 1)
        program = re.search(r'\(\("([^"]+)"', line)
        found.append(
            {
                "proto": fields[0],
                "address": address.partition("%")[0].strip("[]"),
                "port": int(port),
                "program": program[1] if program else "",
            }
        )
    return found


@part
def firewall(expected: Expected) -> dict[str, Any]:
    """Return our table as the kernel holds it, as the boot file makes it, and as the inventory asks for it."""
    live = command(*_LIST, statuses=(0, 1))
    return {
        "live": _plain(live),
        "boot": _loaded(read(BOOT_FILE)) if os.path.exists(BOOT_FILE) else "",
        "wanted": _loaded(expected["firewall"]) if expected.get("firewall") else "",
    }


def _loaded(rules: str) -> str:
    """Load rules into an empty network of their own, and list them as the kernel would here."""
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as stream:
        stream.write(rules)
        stream.flush()
        script = f"nft -f {stream.name} && {' '.join(_LIST)}"
        return _plain(command("unshare", "--net", "sh", "-c", script))


def _plain(text: str) -> str:
    # Counters are the only state that --stateless may leave.
    return re.sub(r"counter packets \d+ bytes \d+", "counter", text).strip()


@part
def outbound(expected: Expected) -> dict[str, bool]:
    """Return which outbound TCP flows with one far end answer."""
    return {flow["id"]: _answers(flow["host"], flow["port"]) for flow in expected["outbound"]}


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=4):
            return True
    except ConnectionRefusedError:
        return False
    except OSError:
        return False


@part
def names(expected: Expected) -> dict[str, Any]:
    """Return the addresses of the public name as the machine sees it."""
    name = expected["public_name"]
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, 443)})
    except OSError as error:
        raise Unmeasured(f"{name}: {error}") from None
    return {"public_name": name, "addresses": found}
