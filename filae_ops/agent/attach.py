"""Follow a transaction through the journal, as lines for people or as JSON lines; ending us ends nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from filae_ops.agent import journal as journals
from filae_ops.agent import lock, one
from filae_ops.agent.bundle.changelog import plain
from filae_ops.agent.journal import Event
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import RECOVERER
from filae_ops.agent.system.machine import Machine

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
    if not as_json and (why := verdict(events)):
        sys.stderr.write(f"filaectl: {why}\n")
    return 0 if events[-1]["event"] == "committed" else 1


def verdict(events: Sequence[Event]) -> Refused | None:
    """Return why a transaction did not commit, who acts and what is next; None when it did."""
    found = {event["event"]: event for event in reversed(events)}  # the first of each name
    if refused := found.get("refused"):
        reason = refused.get("reason") or refused.get("message") or "refused"
        return Refused(_plain(reason), refused.get("owner", "provider"), refused.get("next_step") or "filaectl status")
    failed = found.get("failed")
    if failed is None or "committed" in found:
        return None
    undone = "undone: what served before serves" if "rolled-back" in found else "NOT wholly undone"
    step = failed.get("next_step") or "mend the release, build it again under a higher version, deploy that"
    if "gave-up" in found:
        step = "filaectl journal, repair what it names, then filaectl recover --retry"
    return Refused(
        _plain(f"step {failed['step']} failed: {failed['reason']}{_evidence(failed)}; {undone}"),
        failed.get("owner", "provider"),
        step,
    )


def show(event: Event, *, as_json: bool) -> None:
    """Print one event."""
    text = json.dumps(event, ensure_ascii=False) if as_json else line(event)
    if text:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def line(event: Event) -> str:
    """Return an event as a line for a person; nothing for those that only the journal needs."""
    said = _plain(_words(event))
    return f"[{_clock(event)}] {said}" if said else ""


def _words(event: Event) -> str:
    step = f"  {event.get('step', ''):<10}"
    match event["event"]:
        case "begin":
            change = f"{event['from_version'] or 'nothing'} -> {event['version']} ({event['colour']})"
            return f"{event['kind']} {change}, transaction {event['tx']}{_how(event)}"
        case "done" if event.get("not_run"):
            return f"{step} not needed: {event['not_run']}"
        case "done":
            return f"{step} done in {event['seconds']:.1f} s{_details(event)}"
        case "failed":
            return f"{step} FAILED: {event['reason']}{_evidence(event)}"
        case "undone":
            return f"{step} undone"
        case "undo-failed":
            return f"{step} could not be undone: {event['reason']}"
        case "recover":
            return f"recovering, attempt {event['attempt']}: {event['because']}"
        case "direction":
            return f"  going {event['direction']}: {event['because']}"
        case "rolled-back":
            return "undone: what served before serves"
        case "gave-up":
            return f"GIVEN UP after {event['tries']} tries; the front door has: {event['serving']}"
        case "refused":
            return f"refused: {event['reason']}\n  next: {event.get('next_step', '')}"
        case "committed":
            return "committed"
    return _meanwhile(event, step)


def _meanwhile(event: Event, step: str) -> str:
    """Return what a step tells while it works, and what happens beside transactions."""
    match event["event"]:
        case "soaking":
            watched = f"{event['requests']} requests, {event['server_errors']} of them server errors"
            return f"{step} watched for {event['seconds']:.0f} of {event['of']:.0f} s: {watched}"
        case "waiting":
            held = f"; open transactions: {event['open']}" if event.get("open") else ""
            again = f"tries again in {event['seconds']:.0f} s, {event['attempt']} of {event['of']} times"
            return f"{step} met a lock, {again}{held}"
        case "maintenance-on":
            return f"maintenance on by {event['by']}, until {event.get('until') or 'it is switched off'}"
        case "maintenance-off":
            return f"maintenance off by {event['by']}"
    return ""


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


def _plain(text: str) -> str:
    """Return lines that a terminal shows and does not obey: what a release's tools say of it gets in here."""
    return "\n".join(plain(part, None) for part in text.split("\n"))


def _how(event: Event) -> str:
    """Return what a transaction's plan says aloud: one colour and its stall, what asked for a refresh."""
    said = [one.words(event.get("stall"))] if event.get("mode") == "one" else []
    return "".join(f"\n  {words}" for words in [*said, *filter(None, [event.get("why")])])


def _clock(event: Event) -> str:
    return str(event.get("time", ""))[11:19]


def _details(event: Event) -> str:
    known = {"format", "time", "boot", "machine", "event", "tx", "step", "seconds"}
    found = {k: v for k, v in event.items() if k not in known and v not in (None, [], {}, "")}
    return f" ({', '.join(f'{k}: {_short(v)}' for k, v in found.items())})" if found else ""


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _evidence(event: Event) -> str:
    found = event.get("evidence") or {}
    return f" [{', '.join(f'{k} {v}' for k, v in found.items())}]" if found else ""
