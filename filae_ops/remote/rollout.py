"""One transaction on several machines: one after the other, stopping at the first that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops.errors import INTERRUPTED, OpsError
from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.reading.load import load
from filae_ops.remote.connection import Remote, connect
from filae_ops.remote.filaectl import Event, failure, understood
from filae_ops.remote.progress import Rollout
from filae_ops.remote.ssh import Login

ASKING = "asking the agent"
# What is done on one machine: it may send something first, and hands events over as they come.
Act = Callable[[Remote, Callable[[Event], None], Callable[[str], None]], list[Event]]


@dataclass(frozen=True)
class Target:
    """One machine, and the name it is told by: the site's too where several sites are worked on."""

    label: str
    host: Host
    site: Path


def targets(inventories: Sequence[Path]) -> list[Target]:
    """Load every inventory before any machine is touched, and return their machines in order."""
    sites = {site.directory.resolve(): site for site in map(load, inventories)}.values()  # one named twice is one
    found = [(site.directory.resolve(), host) for site in sites for host in site.hosts.values()]
    # As little of the path as tells them apart.
    ways = [
        [host.name for _, host in found],
        [f"{place.name}/{host.name}" for place, host in found],
        [f"{place}/{host.name}" for place, host in found],
    ]
    labels = next((labels for labels in ways if len(set(labels)) == len(labels)), ways[-1])
    return [Target(label, host, place) for label, (place, host) in zip(labels, found, strict=True)]


@dataclass
class Results:
    """What was done so far, as `--json` prints it."""

    hosts: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the one document of a run."""
        return {"ok": all(each["ok"] for each in self.hosts), "hosts": self.hosts}


def roll_out(todo: Sequence[Target], login: Login, act: Act, progress: Rollout, results: Results) -> None:
    """Act on each machine in turn; the first that fails ends it, and the others are named as not touched."""
    for position, target in enumerate(todo):
        rest = [each.label for each in todo[position + 1 :]]
        try:
            with understood(target.label):
                events = _one(target, login, act, progress)
                problem, end = failure(events, target.label), _end(events)
        except OpsError as error:
            progress.end(target.label, "left" if error.exit_code == INTERRUPTED else "refused", good=False)
            if results.hosts:
                results.hosts.append({"host": target.label, "ok": False, "events": [], "error": str(error.args[0])})
            raise _with_rest(error, rest) from None
        results.hosts.append({"host": target.label, "ok": problem is None, "events": events})
        progress.end(target.label, end, good=problem is None)
        if problem is not None:
            raise _with_rest(problem, rest)


def _one(target: Target, login: Login, act: Act, progress: Rollout) -> list[Event]:
    asked = False

    def state(what: str) -> None:
        nonlocal asked
        asked = asked or what == ASKING
        progress.state(target.label, what)

    progress.begin(target.label)
    with connect(target.host, login) as remote:
        try:
            return act(remote, lambda event: progress.event(target.label, event), state)
        except KeyboardInterrupt:
            left = "if the transaction had begun, it goes on without you" if asked else "nothing was asked yet"
            raise OpsError(
                f"{target.label}: you left; {left}",
                next_step=f"filae-ops -i {target.site} journal; then status",
                exit_code=INTERRUPTED,
            ) from None


def _with_rest(error: OpsError, rest: Sequence[str]) -> OpsError:
    if rest:
        error.args = (f"{error.args[0]}\n  not touched: {', '.join(rest)}", *error.args[1:])
    return error


def _end(events: Sequence[Event]) -> str:
    """Return in one word or two how it ended."""
    names = [event.get("event") for event in events]
    for name, words in (
        ("committed", "committed"), ("unchanged", "nothing to do"), ("check", "checked, nothing was changed"),
        ("rolled-back", "failed, and undone"), ("gave-up", "GIVEN UP"), ("refused", "refused"),
    ):  # fmt: skip
        if name in names:
            return words
    return "ended"
