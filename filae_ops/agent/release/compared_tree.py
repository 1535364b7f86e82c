"""A release's tree compared with what was deployed: its manifest, and what the agent recorded of its own additions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.bundle.manifest import NAME
from filae_ops.agent.bundle.tree_check import Difference, OutOfTime, differences, manifest_of
from filae_ops.agent.release import outdated, store
from filae_ops.agent.system.errors import Refused, system_errors
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event

KINDS = ("changed", "missing", "added")
LISTED = 200
"""Differences of one kind that are named; all are counted."""
LONGEST = 300
"""Characters of a path that are shown."""


def compared(machine: Machine, events: Sequence[Event], version: str, deadline: float) -> dict[str, Any]:
    """Return what was changed, removed or added; `complete`: all was compared before the deadline.

    `problem` says why nothing could be compared.
    """
    tree = machine.layout.release(version)
    found: list[Difference] = []
    problem, complete = "", True
    try:
        with system_errors(tree):
            manifest = manifest_of(tree)
            contract = of_release(tree)
            digests = _recorded(machine, events, contract)
            links = store.links(machine, contract)
            for difference in differences(tree, manifest, links, digests=digests, deadline=deadline):
                found.append(difference)
    except Refused as exc:
        problem = exc.message
    except OutOfTime:
        complete = False
    kinds = {kind: _bounded(found, kind) for kind in KINDS}
    return {"version": version, "complete": complete, "problem": problem, **kinds}


def _recorded(machine: Machine, events: Sequence[Event], contract: Contract) -> dict[str, str]:
    """Return the digests of the files that are not the manifest's own, as far as they are recorded."""
    found = {}
    for some in journals.transactions(events).values():
        for event in some if some[0]["version"] == contract.version else ():
            if event["event"] == "done" and event.get("step") == "stage" and event.get("manifest"):
                found[NAME] = str(event["manifest"])
    if digest := outdated.lock_digest(machine.layout, contract.version):
        found["Gemfile.lock"] = digest
    return found


def _bounded(found: Sequence[Difference], kind: str) -> dict[str, Any]:
    mine = [difference for difference in found if difference.kind == kind]
    first = [{"path": each.path[:LONGEST] or ".", "problem": each.problem} for each in mine[:LISTED]]
    return {"count": len(mine), "first": first}
