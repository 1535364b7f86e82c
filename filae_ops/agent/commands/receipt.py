"""`filaectl receipt`: the DSI confirms a backup or a snapshot of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine


def receipt(machine: Machine, kind: str, at: str, *, as_json: bool) -> int:
    """Record that the DSI took a backup or a snapshot at a time (now)."""
    now = datetime.now(UTC)
    try:
        when = (datetime.fromisoformat(at) if at else now).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(f"--at {at[:40]!r} is not a date and time", "dsi", "write 2026-09-01T22:00:00+02:00") from None
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
