"""`filaectl recover`, started when a transaction dies and at boot: finishes or undoes what was cut."""

from __future__ import annotations

import sys

from filae_ops.agent.runtime import unit_text
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction import engine, lock
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction import plan as plans

WAIT = 600


def recover(machine: Machine, *, retry: bool = False) -> int:
    """Try until the transaction has ended, as often as the journal allows."""
    journal = journals.of_machine(machine.layout.journal)
    said = "nothing to recover"
    while True:
        held = lock.wait_free(machine, WAIT)
        cut = journals.open_transaction(journal.read())
        if not cut:
            plans.sweep(machine, journal.read())
            sys.stdout.write(said + "\n")
            return 0
        if held:
            raise lock.refused(held)
        name, said = cut[0]["tx"], f"recovered {cut[0]['tx']}: its end is in filaectl journal"
        if journals.outcome(cut) == "gave-up":
            if not retry:
                raise _gave_up(name)
            journal.write("retry-asked", tx=name)
            retry, cut = False, journals.open_transaction(journal.read())
        result = lock.take(machine, unit_text.recovery_argv(name), patience=30, timeout=7200)
        if journals.transactions(journal.read())[name] == cut:
            raise Refused(
                f"a try to recover {name} did not start: {result.err.strip()[:300]}",
                next_step="systemctl status",
            )


def _gave_up(name: str) -> Refused:
    return Refused(
        f"transaction {name} could be neither finished nor undone in {engine.MAX_TRIES} tries",
        next_step="filaectl journal, repair what it names, then filaectl recover --retry",
    )
