"""A cause that a host check can see, and the invented facts that causes of several themes share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path

NOW = 1_795_000_000.0
DAY = 86400
NAME = "filae.chv.example"
PROVISION = "filae-ops provision puts it right"
BY_HAND = "where provisioning leaves them"
SAME_RULES = {"firewall": {"live": "a", "wanted": "a", "boot": "a"}}


@dataclass(frozen=True)
class Cause:
    """What is wrong on a machine, and what `verify` has to say of it."""

    check: str
    code: str
    owner: str
    shown: tuple[str, ...]
    """Texts of the message and of the next step."""
    facts: dict[str, Any] = field(default_factory=dict)
    outside: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    """Of the demonstration's inventory, by section."""
    key_file: Any = None
    """What testinfra says of a file."""
    enabled: bool = True
    """What testinfra says of a service."""
    flow: str = ""


@cache
def inventory() -> Inventory:
    return load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())


def system(**more: Any) -> dict[str, Any]:
    usual = {"now": NOW, "installed": NOW - 90 * DAY, "id": "debian", "version": "13", "timezone": "Europe/Paris"}
    return {"system": usual | {"reboot_required": False, "reboot_for": [], "unfinished": []} | more}


def agent(**status: Any) -> dict[str, Any]:
    return {"agent": {"status": {"version": "2.0.0", "colour": "blue", **status}, "sha256": "0" * 64}}


def socket(port: int, program: str = "nginx", address: str = "0.0.0.0", proto: str = "tcp") -> dict[str, Any]:
    return {"sockets": [{"proto": proto, "address": address, "port": port, "program": program}]}


def preflight(**lines: Any) -> dict[str, Any]:
    """Return lines of the preflight; one with values is no go."""
    usual = {"status": "go", "values": {}}
    found = {"apt-mirror": usual, "apt-other": usual, "time-source": usual}
    found |= {name.replace("_", "-"): {"status": "no-go", "values": values} for name, values in lines.items()}
    return {"preflight": {"lines": found}}


def unit(name: str, **state: str) -> dict[str, Any]:
    usual = {"Id": name, "LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    return {"units": {"units": {name: usual | state}, "own": [], "failed": []}}
