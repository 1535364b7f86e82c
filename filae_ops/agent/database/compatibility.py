"""What a rollback may go back to: lower versions whose schema was only widened since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.versions import version_key
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event

RESTORE = "correct forward with a new release; else restore a backup set, which loses what was entered since"


def only_downwards(target: Contract, live: Contract) -> None:
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
