"""Transactions of the past, in the journal of a machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction.journal import Journal


def past(machine: Machine, *took: float, kind: str = "deploy", before: str = "2.0.0", **extra: Any) -> None:
    """Write past transactions into the journal."""
    journal = Journal(machine.layout.journal)
    for number, seconds in enumerate(took):
        write = partial(journal.write, tx=f"{kind}-{before}-{number}")
        time = {"time": f"2026-01-01T00:{number:02}:00.000+00:00"}
        write("begin", kind=kind, version="2.0.1", from_version=before, operator="claire", **time)
        for name in extra:
            write(name)
        write("done", step="start", seconds=seconds / 10)
        write("committed", time=f"2026-01-01T00:{number:02}:{seconds:06.3f}+00:00")
