"""`filaectl _placed`: what the agent itself has to have put on this machine, and what became of the releases' trees.

For `verify`, which compares it with the machine. It is computed again from the release's contract, the journal and the
agent's settings; of the files that it is about, nothing is read but one number: see `_start_limit`.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.frontdoor import maintenance_page, site_include
from filae_ops.agent.release import compared_tree, outdated
from filae_ops.agent.runtime import unit_control, unit_text
from filae_ops.agent.system.config import DAY
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import APP_USER
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction import lock
from filae_ops.agent.transaction.journal import Event

SECONDS = 10.0
"""For comparing all trees; the live one comes first."""
_START = re.compile(r"^TimeoutStartSec=([0-9]{1,5}(?:\.[0-9]{1,6})?)$", re.M)
Row = dict[str, Any]


def print_placed(machine: Machine) -> int:
    """Print it as JSON."""
    print(json.dumps(placed(machine)))
    return 0


def placed(machine: Machine) -> dict[str, Any]:
    """Return the paths that the agent placed, and the kept releases compared, the live one first.

    `busy`: somebody changes the machine meanwhile, so that nothing can be said. `problem`: why what the live release
    needs is not known.
    """
    events = journals.of_machine(machine.layout.journal).read()
    if busy := _busy(machine, events):
        return {"busy": busy, "problem": "", "live": None, "placed": [], "releases": []}
    live = _committed(events)
    rows, problem = list(_own_state(machine)), ""
    try:
        rows += _of_live(machine, live) if live else []
    except Refused as exc:
        problem = exc.message
    except Failed as exc:
        problem = str(exc)
    deadline = time.monotonic() + SECONDS
    versions = sorted(machine.kept(), key=lambda version: live is None or version != live.version)
    return {
        "busy": "",
        "problem": problem,
        "live": {"version": live.version, "colour": live.colour} if live else None,
        "placed": rows,
        "releases": [compared_tree.compared(machine, events, version, deadline) for version in versions],
    }


def _busy(machine: Machine, events: list[Event]) -> str:
    """Return who changes the machine, or which transaction has not ended."""
    cut = journals.open_transaction(events)
    return lock.holder(machine) or (f"{cut[0]['kind']} {cut[0]['version']}, not ended" if cut else "")


def _committed(events: list[Event]) -> Live | None:
    """Return the release that the last transaction put into service: nginx's include may have been edited since."""
    for some in reversed(journals.transactions(events).values()):
        if journals.outcome(some) == "committed":
            return Live(some[0]["version"], some[0]["colour"])
    return None


def _of_live(machine: Machine, live: Live) -> Iterator[Row]:
    layout, contract = machine.layout, of_release(machine.layout.release(live.version))
    for name, text in site_include.pair(machine, contract, live.colour).items():
        yield _file(layout.nginx / name, text)
    yield _link(layout.current, layout.release(live.version))
    yield _file(layout.colour_file(live.colour), f"{live.version}\n")
    yield from _web(machine, contract, live.colour)
    for process in contract.workers:
        unit = unit_control.worker(process, live.colour)
        yield from _dropin(machine, unit, unit_text.release_dropin(layout, contract, process))
        yield _boot_link(machine, "filae.target", unit)
    for name, entry in contract.timers.items():
        timer, service = unit_control.timer(name)
        yield _file(layout.units / timer, unit_text.timer_unit(name, str(entry["calendar"])))
        yield _link(layout.units / "timers.target.wants" / timer, layout.units / timer)
        text = unit_text.release_dropin(layout, contract, f"timer:{name}", pin=True)
        yield from _dropin(machine, service, text)
    for name in contract.secrets:
        yield _file(layout.secrets / name, mode="0600")


def _web(machine: Machine, contract: Contract, colour: str) -> Iterator[Row]:
    socket, service = unit_control.web(colour)
    start = _start_limit(machine, machine.layout.units / f"{service}.d" / "release.conf")
    text = unit_text.release_dropin(machine.layout, contract, "web", start=start)
    yield from _dropin(machine, service, text)
    yield _directory(machine.layout.units / "filae.target.wants")
    for unit in (socket, service):
        yield _boot_link(machine, "filae.target", unit)


def _start_limit(machine: Machine, path: Path) -> float:
    """Return how long the colour may take to start, as its drop-in has it.

    This one number is read back: it was decided by the transaction that wrote the file, from what settings and past
    starts were then.
    """
    try:
        stated = _START.search(path.read_text())
    except (OSError, ValueError):
        stated = None
    return float(stated[1]) if stated and 0 < float(stated[1]) <= DAY else machine.config.timings["start"]


def _own_state(machine: Machine) -> Iterator[Row]:
    """Give what the agent keeps of its own, and what the kept releases have beside their trees."""
    layout = machine.layout
    yield _file(layout.journal, mode="0600", optional=True)
    yield _file(layout.setup_done, mode="0600", optional=True)
    yield _file(layout.maintenance.with_suffix(".lock"), mode="0600", optional=True)
    yield _directory(layout.safety, "0700", optional=True)
    yield _directory(layout.state / "locks", "0700", optional=True)
    for place, pattern in ((layout.safety, "*.dump"), (layout.receipts, "*.json"), (layout.incoming, "*")):
        yield _file(place / pattern, mode="0600", optional=True)
    yield from _maintenance(machine)
    for version in machine.kept():
        yield _directory(layout.scratch / version, "0750", user=APP_USER)
        try:
            contract = of_release(layout.release(version))
        except Refused:  # the comparison of its tree says it
            continue
        for entry in contract.files:
            yield _directory(layout.files / entry["name"], "0750", user=APP_USER)
        if outdated.locks_here(layout.release(version), contract):
            yield _file(outdated.record(layout, version), mode="0600")


def _maintenance(machine: Machine) -> Iterator[Row]:
    """Give what the maintenance that is on has placed; nothing while the application is open."""
    state = maintenance_page.current(machine)
    if state is None:
        return
    try:
        until = datetime.fromisoformat(state["until"]) if state["until"] else None
    except (ValueError, TypeError):
        until = None  # then the page and the units are not those that were asked for, and are told
    yield _file(machine.layout.maintenance, mode="0600")
    yield _file(machine.layout.closed_page, maintenance_page.page(str(state["message"] or ""), until))
    if until is not None:
        units = machine.layout.units
        for suffix, text in zip(("service", "timer"), maintenance_page.ending_units(until), strict=True):
            yield _file(units / f"{maintenance_page.TIMER}.{suffix}", text)
        timer = f"{maintenance_page.TIMER}.timer"
        yield _link(units / "timers.target.wants" / timer, units / timer)


def _dropin(machine: Machine, unit: str, text: str) -> Iterator[Row]:
    place = machine.layout.units / f"{unit}.d"
    yield _directory(place)
    yield _file(place / "release.conf", text)


def _boot_link(machine: Machine, target: str, unit: str) -> Row:
    """Return the link that `systemctl enable` makes for an instance of a template."""
    template = re.sub(r"@.*(?=\.)", "@", unit)
    return _link(machine.layout.units / f"{target}.wants" / unit, machine.layout.units / template)


def _file(path: Path, text: str | bytes | None = None, *, mode: str = "0644", optional: bool = False) -> Row:
    content = text.encode() if isinstance(text, str) else text
    sha256 = None if content is None else hashlib.sha256(content).hexdigest()
    return _row(path, "file", mode, sha256=sha256, optional=optional)


def _directory(path: Path, mode: str = "0755", *, user: str = "root", optional: bool = False) -> Row:
    return _row(path, "directory", mode, user=user, optional=optional)


def _link(path: Path, target: Path) -> Row:
    return _row(path, "link", "0777", target=str(target))


def _row(
    path: Path,
    kind: str,
    mode: str,
    *,
    user: str = "root",
    sha256: str | None = None,
    target: str | None = None,
    optional: bool = False,
) -> Row:
    """Return a path with the fields that `verify` has of what roles place; `optional`: it may also be absent."""
    return {
        "path": str(path), "kind": kind, "user": user, "group": user, "mode": mode, "sha256": sha256, "target": target,
        "optional": optional,
    }  # fmt: skip
