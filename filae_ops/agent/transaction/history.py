"""What past transactions teach: how long they took, how long a release boots, who put one into service."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from datetime import datetime

from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event

RECENT = 5
BOOTING = ("start", "replace")


def durations(events: Sequence[Event], kind: str, *, first: bool = False) -> list[float]:
    """Return the seconds of the last transactions of this kind that went through in one go, oldest first.

    The first deployment of a machine installs and sets up: it is compared with none but itself.
    """
    found = []
    for some in journals.transactions(events).values():
        names = [event["event"] for event in some]
        alike = some[0]["kind"] == kind and bool(some[0].get("from_version")) != first
        if alike and "recover" not in names and "committed" in names:
            found.append(_seconds(some[0], some[names.index("committed")]))
    return found[-RECENT:]


def expected(past: Sequence[float]) -> dict[str, float | int | None]:
    """Return the median of past durations and how many there are."""
    return {"seconds": round(statistics.median(past), 1) if past else None, "of": len(past)}


def boot_seconds(events: Iterable[Event]) -> float | None:
    """Return how long the last release took to start and to be healthy."""
    known = [float(e.get("stall") or e["seconds"]) for e in events if e["event"] == "done" and e.get("step") in BOOTING]
    return known[-1] if known else None


def stall(machine: Machine) -> float | None:
    """Return how long requests would wait for one colour to start again: as long as the last release took."""
    return boot_seconds(journals.of_machine(machine.layout.journal).read())


def duration(machine: Machine, kind: str, *, first: bool = False) -> dict[str, float | int | None]:
    """Return how long such transactions took here."""
    return expected(durations(journals.of_machine(machine.layout.journal).read(), kind, first=first))


def put_into_service(events: Sequence[Event], version: str) -> Event | None:
    """Return the first event of the last deploy or rollback to this version, its end under `ended`."""
    for some in reversed(journals.transactions(events).values()):
        asked = some[0]["kind"] != "refresh"
        if asked and some[0]["version"] == version and journals.outcome(some) == "committed":
            return {**some[0], "ended": next(e["time"] for e in reversed(some) if e["event"] == "committed")}
    return None


def _seconds(begin: Event, end: Event) -> float:
    return (datetime.fromisoformat(end["time"]) - datetime.fromisoformat(begin["time"])).total_seconds()
