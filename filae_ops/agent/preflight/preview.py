"""What a deploy would do, said before it does anything: `filaectl deploy --check`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle import changelog
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.database import compatibility
from filae_ops.agent.database.migration_check import Change
from filae_ops.agent.preflight.capacity import MIB
from filae_ops.agent.preflight.checks import Checked
from filae_ops.agent.steps import catalogue
from filae_ops.agent.system.machine import Live, Machine, other
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.history import duration, stall

WIDTH = 80
_LABEL = 14


def outline(machine: Machine, bundle: Path, found: Checked) -> dict[str, Any]:
    """Return what a deploy of this bundle would do, for people and programs."""
    live, contract = found.live, found.contract
    mode = found.mode
    migration = _migration(contract, found.change)
    return {
        "event": "check",
        "kind": "deploy",
        "from": live.version if live else None,
        "to": contract.version,
        "signer": found.signer,
        "colour": live.colour if live and mode == "one" else other(live.colour if live else None),
        "mode": mode,
        "stall_seconds": stall(machine) if mode == "one" else 0.0,
        "steps": catalogue.names("deploy", mode),
        "packages": list(found.packages),
        "migration": migration,
        "setup": bool(contract.get("setup")) and not machine.layout.setup_done.exists(),
        "disk_mib": {"needed": -(-found.disk_needed // MIB), "free": found.disk_free // MIB},
        "memory_mib": {"needed": contract.memory // MIB, "available": found.memory_free // MIB},
        "duration": duration(machine, "deploy", first=live is None),
        "rollback": afterwards(live, migration, _obstacle(machine, live) if live else ""),
        "changes": changelog.of_bundle(bundle, live.version if live else "", contract.version),
    }


def afterwards(live: Live | None, migration: Mapping[str, Any] | None, obstacle: str = "") -> dict[str, Any]:
    """Return whether one could come back from it, and at which price; `obstacle`: what forbids it already."""
    if live is None or obstacle:
        return {"possible": False, "to": live and live.version, "why": obstacle or "no release is live yet"}
    kind = migration["kind"] if migration and migration["pending"] else None
    if migration is None or not migration["pending"]:
        why = "the schema does not change; all that is entered meanwhile stays"
    elif kind == "expand":
        why = (
            "the schema stays as migrated; all that is entered meanwhile stays, and what only the new release "
            "knows is not shown until it serves again"
        )
    else:
        named = f"of kind {kind}" if kind else "whose kind is not stated"
        why = (
            f"a migration {named} is never undone; going back would mean restoring data, and would lose what is "
            "entered from the migration on"
        )
    return {"possible": kind == "expand" or not (migration and migration["pending"]), "to": live.version, "why": why}


def words(said: Mapping[str, Any]) -> list[str]:
    """Return an outline as lines of at most 80 columns."""
    back = said["kind"] == "rollback"
    lines = [f"would {'roll back' if back else said['kind']}: {said['from'] or 'nothing'} -> {said['to']}"]
    for label, value in _rows(said):
        lines += textwrap.wrap(
            value, WIDTH, initial_indent=f"  {label:<{_LABEL - 2}}", subsequent_indent=" " * _LABEL,
            break_on_hyphens=False,
        ) or [f"  {label}"]  # fmt: skip
    if changes := said.get("changes"):
        lines += ["what goes away again, in the release's own words:" if back else "what changes, in its own words:"]
        for text in changes:
            lines += textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ") or [""]
    elif "changes" in said:
        lines += ["what changes in words: the release's CHANGELOG.md does not say"]
    return [*lines, "nothing was changed"]


def _rows(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    if "signer" in said:
        rows.append(("signed by", str(said["signer"])))
    rows.append(("how", _how(said)))
    if "packages" in said:
        rows.append(("packages", ", ".join(said["packages"]) or "none to install"))
    if "migration" in said:
        rows.append(("migration", _migration_words(said["migration"])))
    if said.get("setup"):
        rows.append(("setup", "the release's first setup, once"))
    for label, key, other_key in (("disk", "disk_mib", "free"), ("memory", "memory_mib", "available")):
        if key in said:
            rows.append((label, f"{said[key]['needed']} MiB needed, {said[key][other_key]} {other_key}"))
    if "duration" in said:
        rows.append(("duration", _duration_words(said["duration"])))
    rows.append(("steps", ", ".join(said["steps"])))
    if way_back := said.get("rollback"):
        verdict = "possible" if way_back["possible"] else "NOT possible"
        verdict = f"{verdict} to {way_back['to']}" if way_back["to"] else "none"
        rows.append(("way back", f"{verdict}: {way_back['why']}"))
    return [*rows, *((str(label), str(value)) for label, value in said.get("notes", {}).items())]


def _how(said: Mapping[str, Any]) -> str:
    if said["from"] is None:
        return f"{said['colour']} starts, is proved out of sight, and is then served"
    if said.get("mode") != "one":
        return f"two colours: {said['colour']} starts beside the one that serves; no request waits"
    known = said.get("stall_seconds")
    stalled = f"about {known:.0f} s, as the last release took to start" if known else "as long as it starts (unknown)"
    return f"one colour, as memory is short for two: requests are held, none refused, for {stalled}"


def _obstacle(machine: Machine, live: Live) -> str:
    """Return why no release could go back to the live one: a migration that an undone update left."""
    events = journals.of_machine(machine.layout.journal).read()
    for version, kind in compatibility.applied_since(machine, events, of_release(machine.layout.release(live.version))):
        if kind != "expand":
            what = f"of kind {kind}" if kind else "whose kind is not known"
            return f"release {version}, undone since, left a migration {what}, which {live.version} does not know"
    return ""


def _migration(contract: Contract, change: Change | None) -> dict[str, Any] | None:
    """Return what happens to the schema that the database has, whatever the live release states."""
    stated = contract.get("migrate")
    if not stated:
        return None
    new = stated.get("schema_version")
    old = (None if change.found is None else str(change.found)) if change else new
    return {"from": old, "schema_version": new, "kind": stated.get("kind"), "pending": change is not None}


def _migration_words(found: Mapping[str, Any] | None) -> str:
    if not found:
        return "none"
    if not found.get("pending", True):
        return f"none: the schema is {found['schema_version']} already"
    change = f"{found.get('from') or 'none'} -> {found['schema_version'] or 'not stated'}"
    return f"{found['kind'] or 'of no stated kind'}, schema {change}"


def _duration_words(found: Mapping[str, Any]) -> str:
    if found["seconds"] is None:
        return "unknown: none of this kind has been done here yet"
    of = f"the median of the last {found['of']} here" if found["of"] > 1 else "as the last one here"
    return f"about {found['seconds']:.0f} s, {of}"
