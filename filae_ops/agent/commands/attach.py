"""Follow a transaction through the journal, as lines for people or as JSON lines; ending us ends nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from filae_ops.agent.database import postgresql
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import RECOVERER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction import lock
from filae_ops.agent.transaction.journal import Event
from filae_ops.agent.transaction.wording import show, verdict

SILENCE = 30.0
ENDS = (*journals.TERMINAL, "refused")


def attach(machine: Machine, *, as_json: bool) -> int:
    """Follow the open transaction, or tell how the last one ended."""
    events = journals.of_machine(machine.layout.journal).read()
    cut = journals.open_transaction(events)
    known = list(journals.transactions(events))
    if not cut and (held := lock.holder(machine)):
        raise Refused(f"no transaction is open, but {held} holds the lock", next_step="wait for its end")
    if not cut and not known:
        raise Refused("no transaction was ever started here", next_step="filaectl deploy BUNDLE")
    return follow(machine, cut[0]["tx"] if cut else known[-1], as_json=as_json)


def follow(machine: Machine, name: str, *, as_json: bool, offset: int = 0) -> int:
    """Print the events of a transaction until its end; 0 when it is committed."""
    events: list[Event] = []
    try:
        for event in _events(machine, name, offset):
            show(event, as_json=as_json)
            events.append(event)
        lock.wait_free(machine, SILENCE)
    except KeyboardInterrupt:
        sys.stderr.write("\nfilaectl: the transaction goes on without this terminal; follow it with: filaectl attach\n")
        return 130
    if not events or events[-1]["event"] not in ENDS:
        raise Refused(f"transaction {name} was cut and nothing recovers it", next_step="filaectl recover")
    if not as_json and (why := verdict(events, postgresql.AGAIN)):
        sys.stderr.write(f"filaectl: {why}\n")
    return 0 if events[-1]["event"] == "committed" else 1


def _events(machine: Machine, name: str, offset: int) -> Iterator[Event]:
    """Yield a transaction's events as they come; stop at its end, or after a silence with nobody at work."""
    rest, silent = b"", time.monotonic()
    while True:
        data, offset = _read(machine, offset)
        *lines, rest = (rest + data).split(b"\n")
        for found in _parsed(lines, name):
            silent = time.monotonic()
            yield found
            if found["event"] in ENDS and not _retried(machine, name):
                return
        if not data:
            if time.monotonic() - silent > SILENCE and not at_work(machine):
                return
            time.sleep(0.1)


def at_work(machine: Machine) -> bool:
    """Tell whether a transaction or a recovery runs."""
    state = unit_control.show(machine, RECOVERER, "ActiveState").get("ActiveState", "")
    return bool(lock.holder(machine)) or state in ("active", "activating")


def _retried(machine: Machine, name: str) -> bool:
    events = journals.transactions(journals.of_machine(machine.layout.journal).read()).get(name, [])
    return bool(events) and journals.outcome(events) == ""


def _read(machine: Machine, offset: int) -> tuple[bytes, int]:
    try:
        with machine.layout.journal.open("rb") as stream:
            stream.seek(offset)
            data = stream.read()
    except FileNotFoundError:
        return b"", offset
    return data, offset + len(data)


def _parsed(lines: list[bytes], name: str) -> Iterator[Event]:
    for text in lines:
        try:
            event: Any = json.loads(text)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("tx") == name and "event" in event:
            yield event
