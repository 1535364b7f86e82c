"""`filaectl status`, `journal`, `receipt` and `observe`: what runs, what happened, what others confirm."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from filae_ops.agent import attach, durable, lock, proof
from filae_ops.agent import journal as journals
from filae_ops.agent.contract import of_release
from filae_ops.agent.errors import Refused
from filae_ops.agent.journal import Event
from filae_ops.agent.machine import Machine


def status(machine: Machine) -> dict[str, Any]:
    """Return what runs and how the last transaction went; healthy as seen through the front door."""
    live = machine.live()
    problem = "nothing is deployed yet"
    if live:
        problem = proof.front_door(machine, of_release(machine.layout.release(live.version)), seconds=2, times=1)
    transactions = journals.transactions(journals.of_machine(machine.layout.journal).read())
    last = summary(list(transactions.values())[-1]) if transactions else None
    stuck = bool(last and last["outcome"] in ("open", "gave-up"))
    return {
        "version": live.version if live else None,
        "healthy": not problem and not (last and last["outcome"] == "gave-up"),
        "problem": problem or (f"transaction {last['id']} is {last['outcome']}" if last and stuck else ""),
        "colour": live.colour if live else None,
        "since": _since(list(transactions.values()), live.version) if live else None,
        "releases": [{"version": v, "live": bool(live and v == live.version)} for v in machine.kept()],
        "last_transaction": last,
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
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return 0
    colour = f" on {found['colour']}" if found["colour"] else ""
    why = f": {found['problem']}" if found["problem"] else ""
    print(f"version   {found['version'] or 'none'}{colour}")
    print(f"healthy   {'yes' if found['healthy'] else 'NO'}{why}")
    print(f"releases  {', '.join(r['version'] for r in found['releases']) or 'none'}")
    if last := found["last_transaction"]:
        why = f": {last['failed_step']}: {last['reason']}" if last["failed_step"] else ""
        print(f"last      {last['kind']} {last['version']} by {last['operator']}, {last['started']}")
        print(f"          {last['outcome']}{why}")
    if found["lock"]:
        print(f"lock      {found['lock']}")
    return 0


def print_journal(machine: Machine, *, as_json: bool, number: int) -> int:
    """Print the last events."""
    for event in journals.of_machine(machine.layout.journal).read()[-number:]:
        attach.show(event, as_json=as_json)
    return 0


def receipt(machine: Machine, kind: str, at: str, *, as_json: bool) -> int:
    """Record that the DSI took a backup or a snapshot at a time (now)."""
    now = datetime.now(UTC)
    try:
        when = datetime.fromisoformat(at) if at else now
    except ValueError:
        raise Refused(f"--at {at[:40]!r} is not a date and time", "dsi", "write 2026-09-01T22:00:00+02:00") from None
    when = when.astimezone(UTC)
    if when > now + timedelta(minutes=5):
        raise Refused(f"--at {at[:40]} is in the future", "dsi", "give the time at which it ended")
    record = {
        "kind": kind,
        "at": when.isoformat(timespec="seconds"),
        "recorded": now.isoformat(timespec="seconds"),
    }
    durable.write(machine.layout.receipts / f"{kind}.json", json.dumps(record) + "\n", 0o600)
    print(json.dumps(record) if as_json else f"recorded: {kind} of {record['at']}")
    return 0


def observe(machine: Machine, *, as_json: bool) -> int:
    """Print what is proved of the live release; 1 when something fails."""
    live = machine.live()
    if live is None:
        found = {"release": proof.Verdict("not_run", "nothing is deployed yet")}
    else:
        found = proof.observed(machine, of_release(machine.layout.release(live.version)))
    checks = {name: asdict(verdict) for name, verdict in found.items()}
    if as_json:
        print(json.dumps({"version": live.version if live else None, "checks": checks}, ensure_ascii=False))
    else:
        for name, verdict in found.items():
            print(f"{name:<12} {verdict.status:<8} {verdict.message}")
    return 1 if any(v.status == "fail" for v in found.values()) else 0


def _since(transactions: list[list[Event]], version: str) -> str | None:
    times = [some[-1]["time"] for some in transactions if some[0]["version"] == version]
    return times[-1] if times else None
