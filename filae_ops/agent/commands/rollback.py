"""`filaectl rollback [VERSION]`: back to a release that is kept, by the same switch; no data is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from filae_ops.agent.bundle import archive, changelog
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.commands import submit
from filae_ops.agent.database import schema_table
from filae_ops.agent.database.compatibility import compatible, only_downwards
from filae_ops.agent.preflight import capacity, checks
from filae_ops.agent.release import apt, store
from filae_ops.agent.runtime import health
from filae_ops.agent.steps import catalogue
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Live, Machine, other
from filae_ops.agent.system.versions import version_key
from filae_ops.agent.transaction import history, plan
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event


@dataclass(frozen=True)
class Target:
    """A release to go back to, and what preflight found."""

    contract: Contract
    live: Live
    schema: int | None
    memory_free: int
    mode: str
    unchanged: bool = False


def rollback(
    machine: Machine,
    version: str = "",
    *,
    operator: str = "",
    check: bool = False,
    as_json: bool = False,
    detach: bool = False,
) -> int:
    """Put a kept release back into service; the transaction outlives this process."""
    who = submit.operator(operator)
    submit.nobody_at_work(machine)
    found = examine(machine, version)
    wanted = found.contract.version
    if found.unchanged:
        return submit.say_unchanged(wanted, f"{wanted} is live and healthy: nothing to do", as_json=as_json)
    if check:
        return submit.say_check(said(machine, found), as_json=as_json)
    request = plan.again("rollback", found.live, wanted, found.mode, who, history.stall(machine))
    return submit.carry_out(machine, request, as_json=as_json, detach=detach)


def examine(machine: Machine, version: str) -> Target:
    """Refuse, or say what going back is about. Nothing is written."""
    live = machine.live()
    if live is None:
        raise Refused("nothing is deployed yet: there is nothing to go back from", next_step="filaectl deploy BUNDLE")
    events = journals.of_machine(machine.layout.journal).read()
    version = version or before(events, live.version, machine.kept())
    if version not in machine.kept():
        raise Refused(
            f"release {version} is not kept on this machine; kept: {', '.join(machine.kept())}",
            next_step="filaectl rollback with one of these",
        )
    contract, present = (of_release(machine.layout.release(v)) for v in (version, live.version))
    schema = schema_table.version(machine)
    if version == live.version:
        _unchanged(machine, contract)
        return Target(contract, live, schema, 0, "two", unchanged=True)
    only_downwards(contract, present)
    compatible(machine, events, contract, schema)
    archive.verify_tree(machine.layout.release(version), store.links(machine, contract))
    memory = capacity.memory_available(machine)
    mode = capacity.mode(contract, memory, present)
    checks.machine_ready(machine, contract)
    if missing := apt.missing(machine, apt.required(contract)):
        raise Refused(
            f"packages that release {version} runs with are gone: {', '.join(missing)}",
            next_step=f"apt-get install {' '.join(missing)}",
        )
    return Target(contract, live, schema, memory, mode)


def before(events: Sequence[Event], live: str, kept: Sequence[str]) -> str:
    """Return the release that the live one replaced, if it is lower and kept; else refuse."""
    for some in reversed(journals.transactions(events).values()):
        begin = some[0]
        former = str(begin.get("from_version") or "")
        if journals.outcome(some) == "committed" and begin["version"] == live and former not in ("", live):
            if former in kept and version_key(former) < version_key(live):
                return former
            break
    lower = [version for version in kept if version_key(version) < version_key(live)]
    known = f"; lower ones kept: {', '.join(lower)}" if lower else "; no lower one is kept"
    raise Refused(
        f"the journal names no release that {live} replaced and that is kept{known}",
        next_step="filaectl rollback VERSION" if lower else "deploy a corrected release",
    )


def said(machine: Machine, found: Target) -> dict[str, Any]:
    """Return what a rollback would do, for people and programs."""
    live, contract = found.live, found.contract
    stated = contract.get("migrate").get("schema_version")
    ahead = found.schema is not None and stated is not None and found.schema > int(stated)
    schema = f"stays {found.schema}, wider than the release's" if ahead else "is the release's"
    kept = "all that was entered stays; no data is restored"
    return {
        "event": "check",
        "kind": "rollback",
        "from": live.version,
        "to": contract.version,
        "colour": live.colour if found.mode == "one" else other(live.colour),
        "mode": found.mode,
        "stall_seconds": history.stall(machine) if found.mode == "one" else 0.0,
        "steps": catalogue.names("rollback", found.mode),
        "memory_mib": {"needed": contract.memory // capacity.MIB, "available": found.memory_free // capacity.MIB},
        "duration": history.duration(machine, "rollback"),
        "notes": {"schema": schema if stated is not None else "stays; the release states none", "data": kept,
                  "way back": f"deploy the bundle of {live.version} again"},
        "changes": changelog.of_release(machine.layout.release(live.version), contract.version, live.version),
    }  # fmt: skip


def _unchanged(machine: Machine, contract: Contract) -> None:
    if problem := health.problem(contract, health.at_front_door(machine.config)):
        raise Refused(
            f"{contract.version} is the live release itself, and not healthy: {problem}",
            next_step="filaectl rollback with a lower version, or deploy its bundle again",
        )
