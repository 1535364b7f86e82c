"""Ask for a transaction: who does, that nobody else is at work, its unit, and its events until its end."""

from __future__ import annotations

import getpass
import json
import os
import re
from typing import Any

from filae_ops.agent.commands import attach
from filae_ops.agent.preflight import preview
from filae_ops.agent.runtime import unit_text
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction import lock, plan, wording
from filae_ops.agent.transaction.plan import Plan

_OPERATOR = re.compile(r"[\w.@-]{1,64}")


def operator(given: str) -> str:
    """Return who asks: the name given, else the sudo user."""
    name = given or os.environ.get("SUDO_USER") or getpass.getuser()
    if not _OPERATOR.fullmatch(name):
        raise Refused(f"--operator {name[:80]!r} is not a name", next_step="give letters, digits and . _ - @ only")
    return name


def nobody_at_work(machine: Machine) -> None:
    """Refuse while somebody holds the lock, or a transaction is open in the journal."""
    if held := lock.holder(machine):
        raise lock.refused(held)
    lock.refuse_open(journals.open_transaction(journals.of_machine(machine.layout.journal).read()))


def carry_out(machine: Machine, wanted: Plan, *, as_json: bool, detach: bool) -> int:
    """Start a transaction and follow it; it outlives this process."""
    journal = machine.layout.journal
    offset = journal.stat().st_size if journal.exists() else 0
    if wanted.mode == "one":
        message = wording.one_colour(wanted.stall)
        said = {"event": "mode", "mode": "one", "stall_seconds": wanted.stall, "message": message}
        print(json.dumps(said) if as_json else f"{wanted.kind} in {message}", flush=True)
    start(machine, wanted)
    if detach:
        print(json.dumps({"event": "started", "tx": wanted.id}) if as_json else f"started {wanted.id}")
        return 0
    return attach.follow(machine, wanted.id, as_json=as_json, offset=offset)


def start(machine: Machine, wanted: Plan) -> None:
    """Start the transaction's unit; its name is the lock."""
    plan.save(machine, wanted)
    try:
        result = lock.take(machine, unit_text.transaction_argv(wanted.id, wanted.description), patience=5)
    except Refused:  # another was faster
        plan.forget(machine, wanted)
        raise
    if result.status != 0:
        raise Refused(f"the transaction could not be started: {result.err.strip()[:300]}", next_step="systemctl status")


def say_check(said: dict[str, Any], *, as_json: bool) -> int:
    """Print what would happen."""
    print(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(preview.words(said)))
    return 0


def say_unchanged(version: str, words: str, *, as_json: bool) -> int:
    """Print that nothing is to be done."""
    print(json.dumps({"event": "unchanged", "version": version}) if as_json else words)
    return 0
