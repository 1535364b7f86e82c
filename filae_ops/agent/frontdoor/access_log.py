"""How requests end, as nginx logs it: `$msec $status $request_time $upstream_addr`, nothing of who asked what."""

from __future__ import annotations

import os
import statistics
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filae_ops.agent.system.plain_file import open_below

ENOUGH = 20
SHARE = 0.05
SLOW = 1.0
# A machine that its host holds up for a moment is slow for all that waited; a slow release stays slow.
SPAN_SECONDS = 10.0
TIMES = 3.0
HISTORY = 1024 * 1024
_RECENT = 1000


@dataclass(frozen=True)
class Outcome:
    """One request that a colour answered, or failed to."""

    at: float
    status: int
    seconds: float
    upstream: str


def parse(line: bytes) -> Outcome | None:
    """Read one line; None when it is none, or when nginx answered by itself (a file, a page)."""
    words = line.split(b" ", 3)
    if len(words) != 4 or words[3].strip() in (b"", b"-"):
        return None
    try:
        return Outcome(float(words[0]), int(words[1]), float(words[2]), words[3].decode("ascii").strip())
    except ValueError:
        return None


class Log:
    """Reads what is added to the log, by file number, so that a rotation loses no line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        self._rest = b""

    def history(self) -> list[Outcome]:
        """Return the latest outcomes that are written, also of the file before; `new` goes on from there."""
        found = [*_parsed(_tail(self.path.with_name(f"{self.path.name}.1")))]
        self._open()
        if self._stream is not None:
            size = os.fstat(self._stream.fileno()).st_size
            self._stream.seek(max(0, size - HISTORY))
        return [*found, *self.new()]

    def new(self) -> list[Outcome]:
        """Return the outcomes that were written since."""
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
        if os.fstat(self._stream.fileno()).st_size < self._stream.tell():
            self._stream.seek(0)
        *lines, self._rest = (self._rest + self._stream.read()).split(b"\n")
        return _parsed(lines)


class Judge:
    """Compares how requests end on a colour since a moment with how they ended before `begun`.

    What ended between the two says nothing of the release before: in one colour, the new one answered already.
    """

    def __init__(self, colour: str, since: float, begun: float | None = None) -> None:
        self._upstream = f"unix:/run/filae/web-{colour}.sock"
        self._since = since
        self._begun = since if begun is None else min(begun, since)
        self._before: deque[Outcome] = deque(maxlen=_RECENT)
        self._seconds: list[float] = []
        self._first = self._last = 0.0
        self.statuses: Counter[int] = Counter()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take outcomes in."""
        for one in outcomes:
            if one.at < self._begun:
                self._before.append(one)
            elif one.at >= self._since and one.upstream == self._upstream:
                self.statuses[one.status] += 1
                self._first, self._last = min(self._first or one.at, one.at), max(self._last, one.at)
                if one.status != 101:  # a websocket is as long as its user stays
                    self._seconds.append(one.seconds)

    @property
    def requests(self) -> int:
        """Return how many requests the colour has had."""
        return self.statuses.total()

    @property
    def failures(self) -> int:
        """Return how many of them it failed."""
        return sum(number for status, number in self.statuses.items() if status >= 500)

    @property
    def median(self) -> float:
        """Return the median of its answers, in seconds."""
        return statistics.median(self._seconds) if self._seconds else 0.0

    @property
    def median_before(self) -> float:
        """Return the median of the latest answers before."""
        return statistics.median(one.seconds for one in self._before) if self._before else 0.0

    @property
    def share_before(self) -> float:
        """Return which share of the latest requests before ended with a server error."""
        failed = sum(1 for one in self._before if one.status >= 500)
        return failed / len(self._before) if len(self._before) >= ENOUGH else 0.0

    def breach(self) -> str:
        """Return what is worse than it may be, or nothing; a few requests prove nothing."""
        if self.requests < ENOUGH:
            return ""
        # What failed as often before (a program that asks for what is not there) is not this release's fault.
        if self.failures > (SHARE + self.share_before) * self.requests:
            before = f"; before it was {self.share_before:.0%}" if self.share_before else ""
            return f"{self.failures} of {self.requests} requests ended with a server error{before}"
        limit = max(SLOW, TIMES * self.median_before)
        lasting = self._last - self._first >= SPAN_SECONDS
        if lasting and len(self._seconds) >= ENOUGH and self.median > limit:
            return f"half of the requests take {self.median:.2f} s or more; before it was {self.median_before:.2f} s"
        return ""


def _parsed(lines: Iterable[bytes]) -> Iterator[Outcome]:
    return (found for line in lines if (found := parse(line)))


def _tail(path: Path) -> list[bytes]:
    try:
        with open_below(path.parent, path.name) as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - HISTORY))
            return stream.read().split(b"\n")
    except FileNotFoundError:
        return []
