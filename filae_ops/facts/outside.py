"""What another place of the network can reach."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from filae_ops.facts import web
from filae_ops.facts.gathering import Expected, Unmeasured, part

SECONDS = 1.5


@part
def outside(expected: Expected) -> dict[str, Any]:
    """Return each port as seen from here, and the front door where it is open."""
    if not expected.get("address"):
        raise Unmeasured("not asked from here")
    address, name = expected["address"], expected["public_name"]
    found = states(address, expected["ports"])
    return {"from": own_address(address), "ports": found, "web": front(address, found, name, expected.get("root", ""))}


def states(address: str, ports: list[int]) -> dict[str, str]:
    """Return open, refused or filtered, by port."""
    with ThreadPoolExecutor(max_workers=32) as pool:
        return dict(zip(map(str, ports), pool.map(lambda port: state(address, port), ports), strict=True))


def front(address: str, found: dict[str, str], name: str, authority: str) -> dict[str, Any]:
    """Return the front door as seen from here."""
    if found.get("443") != "open":
        return {"error": "443 does not answer from here"}
    try:
        return {"value": web.look(address, name, authority)}
    except OSError as error:
        return {"error": str(error)}


def state(address: str, port: int) -> str:
    """Return open, refused or filtered."""
    try:
        with socket.create_connection((address, port), timeout=SECONDS):
            return "open"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "filtered"


def own_address(address: str) -> str:
    """Return the address from which this place would reach the machine; nothing is sent."""
    family = socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family[0], socket.SOCK_DGRAM) as link:
        link.connect(family[4])
        return str(link.getsockname()[0])
