"""What the inventory declares, as plain JSON: what the judge reads."""

from __future__ import annotations

from typing import Any

from filae_ops.inventory.model.inventory import Inventory

_NOT_DECLARED = {"directory", "fingerprint", "hosts"}


def declared_tree(inventory: Inventory) -> dict[str, Any]:
    """Return only what was written, by the inventory's own names; `machines` is a list.

    What is absent was left out; null was written, and means « there is none ».
    """
    tree = inventory.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=_NOT_DECLARED)
    machines = []
    for name, host in inventory.hosts.items():
        machine = host.machine.model_dump(mode="json", by_alias=True, exclude_unset=True)
        machines.append({"name": name, **machine})
    return tree | {"machines": machines}
