"""`filaectl logs`: what the application itself wrote. It may hold patients' data: shown, never stored."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import COLOURS, LOGS
from filae_ops.agent.system.process import CLEAN

WARNING = "these are the application's own logs: they may hold patients' data; keep no copy"
# Whoever asked from elsewhere says this often that they still listen.
LISTENS = 60.0
_UNIT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_WEB = ("filae-web@blue.service", "filae-web@green.service")
_ALL = (*_WEB, "filae-worker@*.service", "filae-timer@*.service", "filae-run-*.service")


def patterns(name: str) -> list[str]:
    """Return the units of a process by its name: `web`, a worker, a timer, `migrate`; all without a name."""
    if not name:
        return list(_ALL)
    if not _UNIT.fullmatch(name):
        raise Refused(f"--unit {name[:80]!r} is not a process of a release", next_step="give web, worker, migrate, …")
    if name == "web":
        return list(_WEB)
    # Whole names: journalctl refuses patterns that match nothing yet.
    workers = [f"filae-worker@{name}-{colour}.service" for colour in COLOURS]
    return [*workers, f"filae-timer@{name}.service", f"filae-run-{name}.service"]


def argv(name: str, number: int, *, follow: bool) -> list[str]:
    """Return the command line of journalctl."""
    # The application writes into its own journal; what systemd says of its units is in the system's.
    words = ["journalctl", f"--namespace=+{LOGS}", "--quiet", "--no-pager", f"--lines={number}"]
    words += ["--output=json", "--output-fields=MESSAGE,UNIT,_PID,_SYSTEMD_UNIT"]
    return [*words, *(f"--unit={each}" for each in patterns(name)), *(["--follow"] if follow else [])]


def logs(name: str, number: int, *, follow: bool, attached: bool, as_json: bool) -> int:
    """Print the last lines, then those to come until Ctrl-C, or until whoever asked has gone (`attached`)."""
    sys.stderr.write(f"filaectl: {WARNING}\n")
    sys.stderr.flush()
    command = argv(name, number, follow=follow)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=CLEAN) as process:
        assert process.stdout is not None
        try:
            for line in lines(process.stdout, sys.stdin.fileno() if attached else None):
                if text := shown(line, as_json=as_json):
                    sys.stdout.write(text + "\n")
                    sys.stdout.flush()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
    return 0 if follow else process.returncode


def lines(source: IO[bytes], listener: int | None, patience: float = LISTENS) -> Iterator[bytes]:
    """Give lines as they come; end with the source, or once the listener is gone or has said nothing for long."""
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        if listener is not None:
            selector.register(listener, selectors.EVENT_READ)
        rest, heard = b"", time.monotonic()
        while listener is None or time.monotonic() - heard < patience:
            for key, _ in selector.select(1):
                data = os.read(key.fd, 65536)
                if not data:
                    return
                if key.fd == listener:
                    heard = time.monotonic()
                    continue
                *whole, rest = (rest + data).split(b"\n")
                yield from whole


def shown(line: bytes, *, as_json: bool) -> str:
    """Return an entry of the journal as we show it; nothing for what is none."""
    try:
        entry: Any = json.loads(line)
        when = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        return ""
    unit = _one_line(_unit(entry).removesuffix(".service").removeprefix("filae-"))
    said = {"time": when.isoformat(timespec="milliseconds"), "unit": unit, "message": _message(entry)}
    return json.dumps(said, ensure_ascii=False) if as_json else f"{said['time'][11:23]} {unit}: {said['message']}"


def _unit(entry: dict[str, Any]) -> str:
    """Return the unit that wrote, as journald says, or the one of which systemd itself speaks."""
    written = entry.get("UNIT") if entry.get("_PID") == "1" else None
    return str(written or entry.get("_SYSTEMD_UNIT") or "")


def _message(entry: dict[str, Any]) -> str:
    value = entry.get("MESSAGE", "")
    if value is None:
        return "(a message too long for the journal to show)"
    # The journal gives bytes that are no text as a list of numbers.
    if isinstance(value, list):
        value = bytes(each for each in value if isinstance(each, int) and 0 <= each < 256).decode("utf-8", "replace")
    return _one_line(str(value))


def _one_line(text: str) -> str:
    return " | ".join(text.splitlines())
