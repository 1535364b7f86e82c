"""The events of a transaction as lines for people, and its end as a verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.transaction.journal import Event


def verdict(events: Sequence[Event], again: str) -> Refused | None:
    """Return why a transaction did not commit, who acts and what is next; None when it did.

    `again`: the commands that stop the release that runs, and try again.
    """
    found = {event["event"]: event for event in reversed(events)}  # the first of each name
    if refused := found.get("refused"):
        reason = refused.get("reason") or refused.get("message") or "refused"
        return Refused(reason, refused.get("owner", "provider"), refused.get("next_step") or "filaectl status")
    failed = found.get("failed")
    if failed is None or "committed" in found:
        return None
    undone = "undone: what served before serves" if "rolled-back" in found else "NOT wholly undone"
    step = failed.get("next_step") or _mend(found.get("begin"), again)
    if "gave-up" in found:
        step = "filaectl journal, repair what it names, then filaectl recover --retry"
    return Refused(
        f"step {failed['step']} failed: {failed['reason']}{_evidence(failed)}; {undone}",
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
    said = _words(event)
    return f"[{_clock(event)}] {said}" if said else ""


def one_colour(stall: float | None) -> str:
    """Return what is said of an update in one colour."""
    known = f"about {stall:.0f} s, as the last start took" if stall else "the length of its start (none is known yet)"
    return f"one colour, as memory is short for two: requests wait {known}, none is refused"


def _mend(begun: Event | None, again: str) -> str:
    step = "mend the release, build it again under a higher version, deploy that"
    running = begun and begun["from_version"]
    return f"{step}; if the release is good, the one that runs may be in its way: {again}" if running else step


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
            asked = f"{event['requests']} requests of {event['clients']} clients"
            watched = f"{asked}, {event['server_errors']} of them server errors"
            return f"{step} watched for {event['seconds']:.0f} of {event['of']:.0f} s: {watched}"
        case "waiting":
            held = f"; {event['open']}" if event.get("open") else ""
            again = f"tries again in {event['seconds']:.0f} s, {event['attempt']} of {event['of']} times"
            return f"{step} met a lock, {again}{held}"
        case "maintenance-on":
            return f"maintenance on by {event['by']}, until {event.get('until') or 'it is switched off'}"
        case "maintenance-off":
            return f"maintenance off by {event['by']}"
    return ""


def _how(event: Event) -> str:
    """Return what a transaction's plan says aloud: one colour and its stall, what asked for a refresh."""
    said = [one_colour(event.get("stall"))] if event.get("mode") == "one" else []
    return "".join(f"\n  {words}" for words in [*said, *filter(None, [event.get("why")])])


def _clock(event: Event) -> str:
    return str(event.get("time", ""))[11:19]


def _details(event: Event) -> str:
    known = {"format", "time", "boot", "machine", "event", "tx", "step", "seconds", "judged"}
    found = {k: v for k, v in event.items() if k not in known and v not in (None, [], {}, "")}
    unjudged = ": too few clients to judge" if event.get("judged") is False else ""
    return (f" ({', '.join(f'{k}: {_short(v)}' for k, v in found.items())})" if found else "") + unjudged


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _evidence(event: Event) -> str:
    found = event.get("evidence") or {}
    return f" [{', '.join(f'{k} {v}' for k, v in found.items())}]" if found else ""
