"""A bounded load on one lab machine: records are posted and read back, each request on a connection of its own.

Requests begin when they are due, whether those before have been answered or not, so that a stall is seen by all who
would have met it. What was acknowledged is kept: none of it may be missing later.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

TIMEOUT = 15.0
TOLD = 5


@dataclass(frozen=True)
class Place:
    """Where the requests go: a lab machine's own address, the name that it is asked for, and the lab's authority.

    `people`: addresses of this host from which they come, each from any of them; left out, from the host's first.
    """

    address: str
    name: str
    authority: str
    port: int = 443
    people: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.address.startswith(("10.213.", "127.")):
            raise ValueError(f"{self.address} is no lab machine")


@dataclass(frozen=True)
class Request:
    """What is sent; a body makes it a POST."""

    path: str
    body: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self, name: str) -> bytes:
        """Return the request as it goes over the wire; the connection ends with its answer."""
        body = b"" if self.body is None else json.dumps(self.body).encode()
        head = {"Host": name, "Connection": "close", "User-Agent": "load", **self.headers}
        if self.body is not None:
            head |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        verb = "GET" if self.body is None else "POST"
        lines = [f"{verb} {self.path} HTTP/1.1", *(f"{key}: {value}" for key, value in head.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Answer:
    """A whole answer, its header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Records(Protocol):
    """How an application keeps a text, gives it back, and says which release answers."""

    def post(self, text: str) -> Request:
        """Return the request that keeps a text."""

    def posted(self, answer: Answer) -> str:
        """Return under which name it was kept."""

    def read(self, name: str) -> Request:
        """Return the request that gives it back."""

    def text(self, answer: Answer) -> str:
        """Return the text of an answer to `read`."""

    def version(self, answer: Answer) -> str:
        """Return the release that answered, or nothing where an answer does not say."""

    def all(self) -> Request | None:
        """Return the request for all records; None where they are read one by one."""

    def texts(self, answer: Answer) -> Mapping[str, str]:
        """Return all texts, by name, of an answer to `all`."""


class Minimal:
    """The minimal application's records."""

    def post(self, text: str) -> Request:
        return Request("/records", {"text": text})

    def posted(self, answer: Answer) -> str:
        return str(json.loads(answer.body)["id"])

    def read(self, name: str) -> Request:
        return Request(f"/records/{name}")

    def text(self, answer: Answer) -> str:
        return str(json.loads(answer.body)["text"])

    def version(self, answer: Answer) -> str:
        return answer.headers.get("x-app-version", "")

    def all(self) -> Request | None:
        return Request("/records")

    def texts(self, answer: Answer) -> Mapping[str, str]:
        return {str(record["id"]): record["text"] for record in json.loads(answer.body)["records"]}


@dataclass
class Outcome:
    """What a load met."""

    sent: int = 0
    failed: list[str] = field(default_factory=list)
    longest: float = 0.0
    versions: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def __str__(self) -> str:
        told = f"{self.sent} requests, {len(self.failed)} failed, longest {self.longest:.3f} s, {dict(self.versions)}"
        return "\n  ".join([told, *self.failed[:TOLD]])


class Load:
    """Posts and reads in turn, until the end of the context, the number or the seconds that bound it.

    `kept` collects what was acknowledged, by name; several loads on one machine may share it.
    """

    def __init__(
        self, place: Place, records: Records, *, rate: float = 40, seconds: float = 120, number: int = 20_000,
        kept: dict[str, str] | None = None, timeout: float = TIMEOUT,
    ) -> None:  # fmt: skip
        self.place, self.records, self.rate, self.seconds, self.number = place, records, rate, seconds, number
        self.kept, self.timeout = {} if kept is None else kept, timeout
        self.outcome = Outcome()
        self._names = list(self.kept)
        self.context = ssl.create_default_context(cadata=place.authority)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2 * TIMEOUT)
        assert not self._thread.is_alive(), "the load does not end"

    def missing(self) -> list[str]:
        """Read back every record that was acknowledged; return those that are not there as they were posted."""
        if request := self.records.all():
            found = self.records.texts(asyncio.run(asyncio.wait_for(self.ask(request), TIMEOUT)))
            return [f"{name}: {text!r}" for name, text in self.kept.items() if found.get(name) != text]
        return asyncio.run(self._missing())

    def answering(self, number: int) -> list[str]:
        """Return which release answers, this many times in a row."""
        request = self.records.read(next(iter(self.kept)))
        return [self.records.version(asyncio.run(self.ask(request))) for _ in range(number)]

    async def ask(self, request: Request) -> Answer:
        """Send one request on a new connection; return its whole answer, or raise."""
        name = self.place.name
        sender = (random.choice(self.place.people), 0) if self.place.people else None
        reader, writer = await asyncio.open_connection(
            self.place.address, self.place.port, ssl=self.context, server_hostname=name, local_addr=sender
        )
        try:
            writer.write(request.bytes(name))
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:] if ": " in line)
            headers = {key.lower(): value for key, value in pairs}
            body = await reader.readexactly(int(headers["content-length"]))
            return Answer(int(head[0].split()[1]), headers, body)
        finally:
            writer.transport.abort()

    async def _run(self) -> None:
        begin = time.monotonic()
        tasks: set[asyncio.Task[None]] = set()
        for due in range(self.number):
            await asyncio.sleep(max(0.0, begin + due / self.rate - time.monotonic()))
            if self._stop.is_set() or time.monotonic() - begin > self.seconds:
                break
            work = self._post(f"{begin:.0f}-{due}") if due % 2 == 0 or not self._names else self._read()
            tasks.add(task := asyncio.create_task(self._timed(work)))
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _timed(self, work: Coroutine[Any, Any, str]) -> None:
        begin = time.monotonic()
        self.outcome.sent += 1
        try:
            problem = await asyncio.wait_for(work, self.timeout)
        except Exception as exc:  # every way not to answer counts
            problem = f"{type(exc).__name__}: {exc}"
        took = time.monotonic() - begin
        self.outcome.longest = max(self.outcome.longest, took)
        if problem:
            self.outcome.failed.append(f"{time.strftime('%H:%M:%S')} after {took:.3f} s: {problem}")

    async def _post(self, text: str) -> str:
        answer = await self.ask(self.records.post(text))
        if answer.status != 201:
            return f"POST answers {answer.status}: {answer.body[:80]!r}"
        name = self.records.posted(answer)
        self.kept[name] = text
        self._names.append(name)
        self._saw(answer)
        return ""

    async def _read(self) -> str:
        name = random.choice(self._names)
        answer = await self.ask(self.records.read(name))
        self._saw(answer)
        return self._compare(name, answer)

    def _compare(self, name: str, answer: Answer) -> str:
        if answer.status != 200:
            return f"GET of {name} answers {answer.status}: {answer.body[:80]!r}"
        text = self.records.text(answer)
        return "" if text == self.kept[name] else f"record {name} is {text!r}, was {self.kept[name]!r}"

    def _saw(self, answer: Answer) -> None:
        if version := self.records.version(answer):
            self.outcome.versions[version] += 1
            self.outcome.last = version

    async def _missing(self) -> list[str]:
        lost = []
        for name in list(self.kept):
            problem = self._compare(name, await asyncio.wait_for(self.ask(self.records.read(name)), TIMEOUT))
            lost += [problem] if problem else []
        return lost
