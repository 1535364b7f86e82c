"""How a release answers people, as nginx logs it in the format `filae_outcome`: nothing of who asked what.

A worker of nginx can write anything there: whatever a line holds, and however much there is, reading it is bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filae_ops.agent.system.plain_file import open_below

ROUND = 2 * 1024 * 1024
LONGEST = 512
# Where a request went from one upstream to another, nginx writes all of them: what people met is the last one's.
_EARLIER = rb"(?:[^\t]*(?:, | : ))?"
_LINE = re.compile(
    rb"(\d{1,10}\.\d{3})\t(\d{1,3})\t(\d{3})"
    rb"\t" + _EARLIER + rb"(\d{3}|-)\t" + _EARLIER + rb"(\d{1,7}\.\d{3}|-)\t" + _EARLIER + rb"(unix:[\w./-]+)"
)
_CUT = b"?"


@dataclass(frozen=True)
class Outcome:
    """One request that a colour answered, or failed to; `seconds`: until its answer began, None where it never did."""

    at: float
    client: int
    status: int
    seconds: float | None
    upstream: str


def parse(line: bytes) -> Outcome | None:
    """Read one line; None when it is none. Where the colour gave no status, nginx's own is what people met."""
    match = _LINE.fullmatch(line) if len(line) <= LONGEST else None
    if match is None:
        return None
    at, client, by_nginx, status, seconds, upstream = match.groups()
    return Outcome(
        at=float(at),
        client=int(client),
        status=int(by_nginx if status == b"-" else status),
        seconds=None if seconds == b"-" else float(seconds),
        upstream=upstream.decode("ascii"),
    )


class Log:
    """Reads what is added to the log, by file number, so that a rotation loses no line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        self._rest = b""

    def history(self) -> list[Outcome]:
        """Return the latest outcomes that are written, also of the file before; `new` goes on from there."""
        before = _rotated(self.path.with_name(f"{self.path.name}.1"))
        return [*_parsed(before.split(b"\n")), *self.new()]

    def new(self) -> list[Outcome]:
        """Return the outcomes that were written since; of more than ROUND bytes in a file, the latest."""
        found: list[Outcome] = []
        if self._stream is None:
            self._open()
        while self._stream is not None:
            moved = self._moved()
            # In this order: what was written to the old file before nginx changed to the new one is read too.
            found += self._read()
            if not moved:
                break
            self.close()
            self._open()
        return found

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream, self._rest = None, b""

    def _open(self) -> None:
        try:
            self._stream = open_below(self.path.parent, self.path.name)
        except FileNotFoundError:
            self._stream = None

    def _moved(self) -> bool:
        """Tell whether another, non-empty file has the name: nginx writes to the old one until it is told."""
        assert self._stream is not None
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        return now.st_size > 0 and now.st_ino != os.fstat(self._stream.fileno()).st_ino

    def _read(self) -> Iterator[Outcome]:
        assert self._stream is not None
        *lines, rest = (self._rest + _latest(self._stream)).split(b"\n")
        self._rest = rest[: LONGEST + 1]  # of a line without end, enough to know it for none
        return _parsed(lines)


def _latest(stream: BinaryIO) -> bytes:
    """Return what follows in a file; of too much the end, marked so that the piece of a line it begins with is none."""
    size = os.fstat(stream.fileno()).st_size
    if size < stream.tell():
        stream.seek(0)
    if size - stream.tell() <= ROUND:
        return stream.read(ROUND)
    stream.seek(size - ROUND)
    return _CUT + stream.read(ROUND)


def _parsed(lines: Iterable[bytes]) -> Iterator[Outcome]:
    return (found for line in lines if (found := parse(line)))


def _rotated(path: Path) -> bytes:
    try:
        with open_below(path.parent, path.name) as stream:
            return _latest(stream)
    except FileNotFoundError:
        return b""
