"""The lab's private bridge: an address for the host, no masquerade, no forwarding, a blackhole behind it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from filae_ops.errors import OpsError
from filae_ops.lab.shell import run
from filae_ops.lab.state import HOME, documents, lab_id, locked, process_start, write_json

# RFC 1918 block in which each lab takes one /24; 10.213 is seldom routed, and the choice skips what is.
BLOCK = "10.213"
# Locally administered; each lab is a link of its own.
GATEWAY_LINK = "02:f1:1a:e0:00:01"


def lab_dir(lab: str | None = None) -> Path:
    """Return the directory of a lab, this one by default."""
    return HOME / "labs" / (lab or lab_id())


def bridge_name(lab: str) -> str:
    """Return the bridge's interface name; the kernel allows 15 characters."""
    return "flab-" + hashlib.sha256(lab.encode()).hexdigest()[:8]


def ensure_network(lab: str, owner: int | None = None) -> str:
    """Make the bridge of a lab when it is absent and return the host's address on it (x.y.z.1)."""
    settings = lab_dir(lab) / "lab.json"
    with locked(HOME / "network.lock"):
        known = json.loads(settings.read_text()) if settings.exists() else {}
        subnet = known.get("subnet") or _free_subnet()
        if owner:
            known |= {"owner": owner, "owner_start": process_start(owner)}
        settings.parent.mkdir(parents=True, exist_ok=True)
        write_json(settings, known | {"subnet": subnet})
        gateway = f"{subnet}.1"
        if not Path(f"/sys/class/net/{bridge_name(lab)}").exists():
            _make_bridge(bridge_name(lab), gateway)
    return gateway


def _make_bridge(bridge: str, gateway: str) -> None:
    subnet = gateway.removesuffix(".1") + ".0/24"
    # Without a link address of its own a bridge takes the lowest of its ports', which changes as machines come and go:
    # until those that stay have asked for it again, some eight seconds, they send to nobody.
    run(["ip", "link", "add", bridge, "address", GATEWAY_LINK, "type", "bridge"])
    run(["ip", "address", "add", f"{gateway}/24", "dev", bridge])
    run(["ip", "link", "set", bridge, "up"])
    # Whatever the host's own setting, packets that enter by this bridge go no further than the host;
    # when the bridge is gone, its subnet is unreachable rather than routed to the outside.
    Path(f"/proc/sys/net/ipv4/conf/{bridge}/forwarding").write_text("0")
    run(["ip", "route", "add", "blackhole", subnet, "metric", "4096"], check=False)


def remove_network(lab: str) -> None:
    """Remove the bridge and the blackhole route of a lab; harmless when they are gone."""
    settings = lab_dir(lab) / "lab.json"
    if settings.exists():
        subnet = json.loads(settings.read_text())["subnet"]
        run(["ip", "route", "del", "blackhole", f"{subnet}.0/24"], check=False)
    run(["ip", "link", "del", bridge_name(lab)], check=False)


def _free_subnet() -> str:
    taken = {lab["subnet"] for lab in documents("labs/*/lab.json").values()}
    in_use = run(["ip", "-4", "-o", "address"]).stdout + run(["ip", "-4", "route"]).stdout
    in_use += run(["ss", "-H", "-l", "-n", "-t", "-u"]).stdout
    start = os.getpid() % 200
    for offset in range(200):
        subnet = f"{BLOCK}.{(start + offset) % 200 + 20}"
        if subnet not in taken and f"{subnet}." not in in_use:
            return subnet
    raise OpsError(f"no free subnet left in {BLOCK}.0.0/16", next_step="./filae-ops lab down --all")
