"""The steps of each kind of transaction, in order. Tests enumerate them here."""

from __future__ import annotations

from filae_ops.agent.errors import Refused
from filae_ops.agent.machine import Machine
from filae_ops.agent.plan import Plan
from filae_ops.agent.prepare import Database, Migrate, Packages, Probe, Secrets, Setup, Stage, Start
from filae_ops.agent.serve import PIVOT, Commit, Retire, Switch, Workers
from filae_ops.agent.step import Deploy

__all__ = ["DEPLOY", "PIVOT", "steps_of"]

DEPLOY = (Packages, Stage, Database, Secrets, Migrate, Setup, Start, Probe, Switch, Workers, Retire, Commit)


def steps_of(machine: Machine, plan: Plan) -> list[Deploy]:
    """Return the steps of a transaction, in order."""
    if plan.kind != "deploy":
        raise Refused(f"this agent knows no transaction {plan.kind!r}", next_step="filae-ops provision")
    return [step(machine, plan) for step in DEPLOY]
