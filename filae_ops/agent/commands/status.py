"""`filaectl status` and `journal`: what runs, and what happened."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.commands import attach
from filae_ops.agent.frontdoor import maintenance_page, proof
from filae_ops.agent.release import outdated
from filae_ops.agent.steps import dump
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction import history, lock, wording
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event


def status(machine: Machine) -> dict[str, Any]:
    """Return what runs and how the last transaction went; healthy as seen through the front door."""
    live = machine.live()
    problem = "nothing is deployed yet"
    if live:
        problem = proof.front_door(machine, of_release(machine.layout.release(live.version)), seconds=2, times=1)
    events = journals.of_machine(machine.layout.journal).read()
    transactions = journals.transactions(events)
    served = history.put_into_service(events, live.version) if live else None
    last = summary(list(transactions.values())[-1]) if transactions else None
    stuck = bool(last and last["outcome"] in ("open", "gave-up"))
    cut = stuck and not attach.at_work(machine)
    return {
        "version": live.version if live else None,
        "healthy": not problem and not cut,
        "problem": problem or (f"transaction {last['id']} is {last['outcome']}" if last and stuck else ""),
        "colour": live.colour if live else None,
        "since": served["ended"] if served else None,
        "deployed_by": served["operator"] if served else None,
        "releases": [{"version": v, "live": bool(live and v == live.version)} for v in machine.kept()],
        "last_transaction": last,
        "stale": outdated.reasons(machine, live) if live else [],
        "maintenance": _maintenance(machine),
        "safety_dumps": _safety_dumps(machine),
        "lock": lock.holder(machine) or None,
    }


def summary(events: list[Event]) -> dict[str, Any]:
    """Return how one transaction went."""
    begin = events[0]
    failure = next((e for e in events if e["event"] == "failed"), {})
    return {
        "id": begin["tx"],
        "kind": begin["kind"],
        "from": begin["from_version"] or None,
        "version": begin["version"],
        "operator": begin["operator"],
        "started": begin["time"],
        "ended": events[-1]["time"] if journals.outcome(events) else None,
        "outcome": journals.outcome(events) or "open",
        "failed_step": failure.get("step"),
        "reason": failure.get("reason"),
        "recoveries": sum(1 for e in events if e["event"] == "recover"),
    }


def print_status(machine: Machine, *, as_json: bool) -> int:
    """Print the status; 0 also when it is red, since this reports and does not judge."""
    found = status(machine)
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines(found)))
    return 0


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return a status as lines of at most 80 columns."""
    shown = []
    for label, value in rows(found):
        shown += textwrap.wrap(
            value, 80, initial_indent=f"{label:<13} ", subsequent_indent=" " * 14, break_on_hyphens=False
        )
    return shown


def rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a status as labels and words."""
    since = f", since {_when(found['since'])} by {found['deployed_by']}" if found.get("since") else ""
    colour = f" on {found['colour']}{since}" if found["colour"] else ""
    why = f": {found['problem']}" if found["problem"] else ""
    said = [
        ("version", f"{found['version'] or 'none'}{colour}"),
        ("healthy", f"{'yes' if found['healthy'] else 'NO'}{why}"),
        ("releases", ", ".join(r["version"] for r in found["releases"]) or "none"),
    ]
    if last := found["last_transaction"]:
        why = f" at {last['failed_step']}: {last['reason']}" if last["failed_step"] else ""
        change = f"{last['from'] or 'nothing'} -> {last['version']} by {last['operator']}"
        said.append(("last", f"{last['kind']} {change}, {_when(last['ended'] or last['started'])}"))
        said.append(("", f"{last['outcome']}{why}"))
    if why := "; ".join(found.get("stale") or []):
        said.append(("stale", f"{why}; next: filaectl refresh"))
    if kept := found.get("maintenance"):
        until = f", until {_when(kept['until'])}" if kept.get("until") else ", until it is switched off"
        said.append(("maintenance", f"ON since {_when(kept.get('since') or '')} by {kept.get('by', '?')}{until}"))
    for each in found.get("safety_dumps") or []:
        said.append(("safety dump", f"{each['path']}, {each['bytes'] // 1024} KiB, {_when(each['at'])}"))
    return said + ([("lock", found["lock"])] if found["lock"] else [])


def _when(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return "?"


def _maintenance(machine: Machine) -> dict[str, Any] | None:
    """Return since when, until when and by whom the maintenance page is shown; never its text."""
    found = maintenance_page.current(machine)
    return {name: str(found[name] or "") for name in ("since", "until", "by")} if found else None


def _safety_dumps(machine: Machine) -> list[dict[str, Any]]:
    """Return the dumps that were taken before migrations and are kept."""
    found = []
    for path in dump.dumps(machine):
        state = path.stat()
        at = datetime.fromtimestamp(state.st_mtime, UTC).isoformat(timespec="seconds")
        found.append({"path": str(path), "transaction": path.stem, "bytes": state.st_size, "at": at})
    return found


def print_journal(machine: Machine, *, as_json: bool, number: int) -> int:
    """Print the last events."""
    for event in journals.of_machine(machine.layout.journal).read()[-number:]:
        wording.show(event, as_json=as_json)
    return 0
