"""The journal: one JSON line per event, on disk before what it announces is done."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused

FORMAT = 1
Event = dict[str, Any]
TERMINAL = ("committed", "rolled-back", "gave-up")


class Journal:
    """Appends events to the journal, each durable before `write` returns, and reads them back."""

    def __init__(self, path: Path, *, boot: str = "", machine: str = "", echo: bool = False) -> None:
        self.path = path
        self.boot = boot
        self.machine = machine
        self.echo = echo

    def write(self, event: str, **fields: Any) -> Event:
        """Append one event: write, fsync (and the directory's fsync when the file is new)."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {
            "format": FORMAT,
            "time": now,
            "boot": self.boot,
            "machine": self.machine,
            "event": event,
            **fields,
        }
        line = json.dumps(record, ensure_ascii=False) + "\n"
        new = not self.path.exists()
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            data = (b"\n" if torn else b"") + line.encode()
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            durable.sync_directory(self.path.parent)
        if self.echo:
            sys.stdout.write(line)
            sys.stdout.flush()
        return record

    def read(self) -> list[Event]:
        """Return every whole event; a line torn by a power cut announced nothing that was done."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        events = []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and "event" in event:
                if event.get("format") != FORMAT:
                    raise Refused(
                        f"{self.path}: events of format {event.get('format')!r}; this agent knows {FORMAT}",
                        next_step="install the agent that wrote them: filae-ops provision",
                    )
                events.append(event)
        return events


def of_machine(path: Path, *, echo: bool = False) -> Journal:
    """Return the journal of this boot of this machine."""
    return Journal(path, boot=_first("/proc/sys/kernel/random/boot_id"), machine=_first("/etc/machine-id"), echo=echo)


def transactions(events: Sequence[Event]) -> dict[str, list[Event]]:
    """Group the events by transaction, oldest first."""
    found: dict[str, list[Event]] = {}
    for event in events:
        if "tx" in event:
            found.setdefault(event["tx"], []).append(event)
    return {tx: some for tx, some in found.items() if some[0]["event"] == "begin"}


def open_transaction(events: Sequence[Event]) -> list[Event]:
    """Return the events of the transaction that has begun and not ended, or none."""
    for some in transactions(events).values():
        if outcome(some) in ("", "gave-up"):
            return some
    return []


def outcome(events: Sequence[Event]) -> str:
    """Return how a transaction ended; empty while it is open."""
    ended = ""
    for event in events:
        if event["event"] in TERMINAL:
            ended = event["event"]
        elif event["event"] == "recover":
            ended = ""
    return ended


def _first(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
