"""`filaectl recover`, started when a transaction dies and at boot: finishes or undoes what was cut."""

from __future__ import annotations

import sys

from filae_ops.agent import engine, lock, units
from filae_ops.agent import journal as journals
from filae_ops.agent.errors import Refused
from filae_ops.agent.machine import Machine

WAIT = 600


def recover(machine: Machine, *, retry: bool = False) -> int:
    """Try until the transaction has ended, as often as the journal allows."""
    journal = journals.of_machine(machine.layout.journal)
    asked = False
    for _ in range(engine.MAX_TRIES + 1):
        # The failed unit of the transaction is still being collected when its OnFailure starts us.
        held = lock.wait_free(machine, WAIT)
        cut = journals.open_transaction(journal.read())
        if not cut:
            sys.stdout.write("nothing to recover\n" if not asked else "recovered\n")
            return 0
        if held:
            raise lock.refused(held)
        name = cut[0]["tx"]
        if journals.outcome(cut) == "gave-up":
            if not retry or asked:
                raise _gave_up(name)
            journal.write("retry-asked", tx=name)
        asked = True
        machine.runner.run(units.recovery_argv(name), timeout=7200)
    cut = journals.open_transaction(journal.read())
    if cut:
        raise _gave_up(cut[0]["tx"])
    return 0


def _gave_up(name: str) -> Refused:
    return Refused(
        f"transaction {name} could be neither finished nor undone in {engine.MAX_TRIES} tries",
        next_step="filaectl journal, repair what it names, then filaectl recover --retry",
    )
