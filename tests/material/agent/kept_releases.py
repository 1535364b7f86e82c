"""A machine that keeps several releases, and a journal that tells who migrated."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from material.agent.fakes import machine_at, put_release

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction.journal import Journal

EXPAND, CONTRACT_KIND, WINDOW = "expand", "contract", "window"


def migrate(schema: int, kind: str = EXPAND) -> dict[str, Any]:
    return {"command": ["bin/migrate"], "schema_version": str(schema), "kind": kind}


class Site:
    """Releases 1 to 3 (schemas 10, 20, 30), the last one live; `journal` tells who migrated."""

    def __init__(self, root: Path) -> None:
        self.machine: Machine = machine_at(root)[0]
        self.journal = Journal(self.machine.layout.journal)

    def release(self, version: str, **changes: Any) -> Contract:
        return of_release(put_release(self.machine, version, **{"min_from": "0.0.0", **changes}))

    def deployed(self, version: str, before: str, outcome: str = "committed", **migrated: Any) -> None:
        write = partial(self.journal.write, tx=f"t{version}-{len(self.journal.read())}")
        write("begin", kind="deploy", version=version, from_version=before)
        write("step", step="migrate")
        write("done", step="migrate", **migrated)
        write(outcome)
