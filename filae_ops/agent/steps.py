"""The steps of each kind of transaction, in order. Tests enumerate them here."""

from __future__ import annotations

from filae_ops.agent.errors import Refused
from filae_ops.agent.machine import Machine
from filae_ops.agent.migrate import Migrate
from filae_ops.agent.plan import Plan
from filae_ops.agent.prepare import Database, Packages, Probe, Secrets, Setup, Stage, Start
from filae_ops.agent.safety import Dump
from filae_ops.agent.serve import PIVOT, Commit, Retire, Switch, Workers
from filae_ops.agent.soak import Soak
from filae_ops.agent.step import Deploy, Note, silent

__all__ = ["DEPLOY", "PIVOT", "steps_of"]

DEPLOY = (
    Packages, Stage, Database, Secrets, Dump, Migrate, Setup, Start, Probe, Switch, Retire, Workers, Soak, Commit,
)  # fmt: skip


def steps_of(machine: Machine, plan: Plan, note: Note = silent) -> list[Deploy]:
    """Return the steps of a transaction, in order; `note` writes what they tell while they work."""
    if plan.kind != "deploy":
        raise Refused(f"this agent knows no transaction {plan.kind!r}", next_step="filae-ops provision")
    return [step(machine, plan, note) for step in DEPLOY]
