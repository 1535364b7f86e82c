"""The steps of each kind of transaction, in order. Tests enumerate them here."""

from __future__ import annotations

from filae_ops.agent.steps.base import Deploy, Note, silent
from filae_ops.agent.steps.dump import Dump
from filae_ops.agent.steps.migrate import Migrate
from filae_ops.agent.steps.prepare import Database, Packages, Probe, Secrets, Setup, Stage, Start
from filae_ops.agent.steps.relock import Relock
from filae_ops.agent.steps.replace import Replace, SwitchOne
from filae_ops.agent.steps.soak import Soak
from filae_ops.agent.steps.switch import PIVOT, Commit, Retire, Switch, Workers
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction.plan import Plan

__all__ = ["DEPLOY", "KINDS", "PIVOT", "classes", "names", "steps_of"]

_PREPARED = (Packages, Stage, Database, Secrets, Dump, Migrate, Setup)
_TWO, _ONE = (Start, Probe, Switch, Retire, Workers), (Replace, Probe, SwitchOne, Workers)
_END = (Soak, Commit)

# By kind and by mode: beside the release before, or in its place.
KINDS: dict[tuple[str, str], tuple[type[Deploy], ...]] = {
    ("deploy", "two"): (*_PREPARED, *_TWO, *_END),
    ("deploy", "one"): (*_PREPARED, *_ONE, *_END),
    ("rollback", "two"): (Relock, Database, *_TWO, *_END),
    ("rollback", "one"): (Relock, Database, *_ONE, *_END),
    # The same release: there is nothing to compare its answers with, so no soak.
    ("refresh", "two"): (Relock, Database, *_TWO, Commit),
    ("refresh", "one"): (Relock, Database, *_ONE, Commit),
}
DEPLOY = KINDS["deploy", "two"]


def classes(kind: str, mode: str) -> tuple[type[Deploy], ...]:
    """Return the steps of a kind of transaction."""
    try:
        return KINDS[kind, mode]
    except KeyError:
        raise Refused(f"this agent knows no {kind!r} in mode {mode!r}", next_step="filae-ops provision") from None


def names(kind: str, mode: str) -> list[str]:
    """Return the names of the steps of a kind of transaction."""
    return [step.name for step in classes(kind, mode)]


def steps_of(machine: Machine, plan: Plan, note: Note = silent) -> list[Deploy]:
    """Return the steps of a transaction, in order; `note` writes what they tell while they work."""
    return [step(machine, plan, note) for step in classes(plan.kind, plan.mode)]
