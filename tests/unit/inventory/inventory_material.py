from __future__ import annotations

from pathlib import Path
from typing import Any

from filae_ops.inventory.load import load
from filae_ops.inventory.model import Inventory
from filae_ops.inventory.source import read
from filae_ops.paths import data_path

DEMO = data_path("inventories", "demo")


def offline(hosts_file: Path) -> dict[str, dict[str, Any]]:
    """Stand for ansible-inventory: test_inventory_agreement shows that both say the same."""
    return read(hosts_file).hostvars()


def quick(path: Path) -> Inventory:
    return load(path, reader=offline)
