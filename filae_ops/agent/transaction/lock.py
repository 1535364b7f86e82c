"""The lock: the name of one systemd unit, whoever holds it (a transaction, a recovery, a provisioning)."""

from __future__ import annotations

import time

from filae_ops.agent.runtime import unit_control
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import TRANSACTION
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Result
from filae_ops.agent.transaction.journal import Event

UNIT = f"{TRANSACTION}.service"
_OVER = ("", "inactive", "failed")


def holder(machine: Machine) -> str:
    """Return who holds the lock, or nothing."""
    shown = unit_control.show(machine, UNIT, "ActiveState", "Description")
    return "" if shown.get("ActiveState", "") in _OVER else shown.get("Description") or TRANSACTION


def refused(held_by: str) -> Refused:
    """Return the refusal that names the holder."""
    # A provisioning has no transaction to follow: it ends with its own session.
    follow = "wait for it to end" if held_by.startswith("provision") else "filaectl attach follows it"
    return Refused(f"this machine is being changed by: {held_by}", next_step=f"{follow}, then run this again")


def refuse_open(cut: list[Event]) -> None:
    """Refuse while a transaction is open in the journal."""
    if cut:
        begin = cut[0]
        raise Refused(
            f"transaction {begin['tx']} ({begin['kind']} {begin['version']}) has not ended",
            next_step="filaectl attach; if nothing runs: filaectl recover --retry",
        )


def wait_free(machine: Machine, seconds: float) -> str:
    """Wait until nobody holds the lock; return who still does after `seconds`."""
    limit = time.monotonic() + seconds
    while (held := holder(machine)) and time.monotonic() < limit:
        time.sleep(0.1)
    return held


def take(machine: Machine, argv: list[str], *, patience: float, timeout: float = 60) -> Result:
    """Start a unit under the lock's name; a dead holder that systemd has not collected yet is waited for."""
    limit = time.monotonic() + patience
    while True:
        result = machine.runner.run(argv, timeout=timeout)
        if "already loaded" not in result.err:
            return result
        if held := holder(machine):
            raise refused(held)
        if time.monotonic() > limit:
            raise Refused(f"{UNIT} is dead and still loaded", next_step=f"systemctl reset-failed {UNIT}")
        machine.runner.run(["systemctl", "reset-failed", UNIT])
        time.sleep(0.2)
