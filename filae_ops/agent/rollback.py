"""`filaectl rollback [VERSION]`: back to a release that is kept, by the same switch; no data is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from filae_ops.agent import ask, database, one, preflight, steps
from filae_ops.agent.bundle import archive, changelog
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.release import apt, store
from filae_ops.agent.runtime import health
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Live, Machine, other
from filae_ops.agent.system.versions import version_key
from filae_ops.agent.transaction import history, plan
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event

RESTORE = "correct forward with a new release; else restore a backup set, which loses what was entered since"
MIB = preflight.MIB


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
    who = ask.operator(operator)
    ask.nobody_at_work(machine)
    found = examine(machine, version)
    wanted = found.contract.version
    if found.unchanged:
        return ask.say_unchanged(wanted, f"{wanted} is live and healthy: nothing to do", as_json=as_json)
    if check:
        return ask.say_check(said(machine, found), as_json=as_json)
    request = plan.again("rollback", found.live, wanted, found.mode, who, history.stall(machine))
    return ask.carry_out(machine, request, as_json=as_json, detach=detach)


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
    schema = database.schema_version(machine)
    if version == live.version:
        _unchanged(machine, contract)
        return Target(contract, live, schema, 0, "two", unchanged=True)
    ordered(contract, present)
    compatible(machine, events, contract, schema)
    archive.verify_tree(machine.layout.release(version), store.links(machine, contract))
    memory = preflight.memory_available(machine)
    mode = one.mode(contract, memory, present)
    preflight.machine_ready(machine, contract)
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


def ordered(target: Contract, live: Contract) -> None:
    """Refuse to go up, and to go below what the live release can be reached from."""
    if version_key(target.version) > version_key(live.version):
        raise Refused(
            f"version {target.version} is higher than the live {live.version}: a rollback goes down",
            next_step=f"deploy the bundle of {target.version}",
        )
    stop = str(live.data.get("min_from") or "")
    if stop and version_key(target.version) < version_key(stop):
        raise Refused(
            f"release {live.version} is reached from {stop} or later: {target.version} cannot work with what it left",
            next_step=RESTORE,
        )


def compatible(machine: Machine, events: Sequence[Event], target: Contract, schema: int | None) -> None:
    """Refuse unless each migration applied since the target's schema only widened it."""
    since = applied_since(machine, events, target)
    for version, kind in since:
        if kind != "expand":
            what = f"of kind {kind}" if kind else "whose kind is not known"
            raise Refused(
                f"release {version} applied a migration {what}: {target.version} does not know the schema it made",
                next_step=RESTORE,
            )
    stated = target.get("migrate").get("schema_version")
    if schema is None or stated is None or schema == int(stated):
        return
    if schema < int(stated):
        raise Refused(
            f"the schema is {schema}, behind the {stated} of {target.version}: the database was restored or changed",
            next_step=f"deploy the bundle of {target.version}, which migrates",
        )
    if str(schema) not in {entry for v, _ in since for entry in _schemas(machine, events, v)}:
        raise Refused(
            f"the schema is {schema}, and no release known here made it: its migration may be of any kind",
            next_step=RESTORE,
        )


def applied_since(machine: Machine, events: Sequence[Event], target: Contract) -> list[tuple[str, str]]:
    """Return who migrated since the target did, and with which kind (empty when it is not known).

    The journal tells; a kept release's manifest tells where the journal, older or lost, does not.
    """
    stated = int(target.get("migrate").get("schema_version") or 0)
    found: dict[str, str] = {}
    for some in journals.transactions(events).values():
        version = str(some[0]["version"])
        for event in some:
            if event["event"] == "done" and event.get("step") == "migrate" and "not_run" not in event:
                if version == target.version:
                    found.clear()
                elif not 0 < int(event.get("schema_version") or 0) <= stated:
                    found[version] = str(event.get("kind") or _manifest_kind(machine, version))
    for version in machine.kept():
        migrate = of_release(machine.layout.release(version)).get("migrate")
        later = version_key(version) > version_key(target.version)
        if later and version not in found and int(migrate.get("schema_version") or 0) > stated:
            found[version] = str(migrate.get("kind") or "")
    return list(found.items())


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
        "steps": steps.names("rollback", found.mode),
        "memory_mib": {"needed": contract.memory // MIB, "available": found.memory_free // MIB},
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


def _manifest_kind(machine: Machine, version: str) -> str:
    return str(_migrate(machine, version).get("kind") or "")


def _schemas(machine: Machine, events: Sequence[Event], version: str) -> set[str]:
    found = {str(_migrate(machine, version).get("schema_version") or "")}
    for some in journals.transactions(events).values():
        if some[0]["version"] == version:
            found |= {str(e.get("schema_version") or "") for e in some if e.get("step") == "migrate"}
    return found


def _migrate(machine: Machine, version: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = {}
    if version in machine.kept():
        found = of_release(machine.layout.release(version)).get("migrate")
    return found
