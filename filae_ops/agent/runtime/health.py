"""Ask the application how it is: on a colour's socket, or through the front door over TLS."""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.system.config import Config
from filae_ops.agent.system.machine import Machine

MAX_BODY = 1024 * 1024
Fetch = Callable[[str], "Response"]


@dataclass(frozen=True)
class Response:
    """An answer, its header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def judge(contract: Contract, answer: Response) -> str:
    """Return why this answer is not the healthy one of this release, or nothing."""
    health = contract.get("health")
    wanted = int(health.get("status") or 200)
    if answer.status != wanted:
        return f"{health.get('path')} answers {answer.status}, not {wanted}"
    where = health.get("version") or {}
    if not where:
        return ""
    found = _stated_version(where, answer)
    if found == contract.version:
        return ""
    return f"{health.get('path')} says version {found[:40]!r}, not {contract.version!r}"


def on_socket(path: Path, name: str, timeout: float = 10) -> Fetch:
    """Return how to ask a colour on its own socket, as nginx would; `timeout` is for the whole answer."""

    def fetch(target: str) -> Response:
        deadline = time.monotonic() + timeout
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(timeout)
        with link:
            link.connect(str(path))
            return _get(link, deadline, name, target)

    return fetch


def at_front_door(config: Config, timeout: float = 10) -> Fetch:
    """Return how to ask through nginx over TLS, with the real name and the authority that we hold."""

    def fetch(target: str) -> Response:
        deadline = time.monotonic() + timeout
        context = ssl.create_default_context(cafile=config.ca_file)
        with (
            socket.create_connection(("127.0.0.1", 443), timeout=timeout) as plain,
            context.wrap_socket(plain, server_hostname=config.public_name) as link,
        ):
            return _get(link, deadline, config.public_name, target)

    return fetch


def problem(contract: Contract, fetch: Fetch) -> str:
    """Ask once; return why the release is not healthy there, or nothing."""
    if not contract.get("health").get("path"):
        return "the contract states no health path"
    try:
        return judge(contract, fetch(str(contract.get("health")["path"])))
    except (OSError, http.client.HTTPException) as exc:
        return f"no answer: {type(exc).__name__}: {exc}"


def wait(contract: Contract, fetch: Fetch, seconds: float, times: int = 1) -> str:
    """Ask until the release is healthy `times` times in a row; return the last problem, or nothing."""
    limit, good, last = time.monotonic() + seconds, 0, "never asked"
    while True:
        last = problem(contract, fetch)
        good = 0 if last else good + 1
        if good >= times:
            return ""
        if time.monotonic() >= limit:
            return last or "not healthy often enough"
        time.sleep(0.02 if good else 0.1)


def of_colour(machine: Machine, contract: Contract, colour: str) -> str:
    """Wait until a colour is healthy on its own socket, three times in a row; return why it is not, or nothing."""
    fetch = on_socket(machine.layout.socket(colour), machine.config.public_name)
    return wait(contract, fetch, machine.config.timings["health"], times=3)


class _Incoming(io.RawIOBase):
    """What comes from a socket until a deadline, however slowly."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self.link = link
        self.deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return what http.client reads an answer from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, or wait for it as long as there is time."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the answer did not end in time")
        self.link.settimeout(remaining)
        return self.link.recv_into(buffer)


def _get(link: socket.socket, deadline: float, name: str, target: str) -> Response:
    connection = http.client.HTTPConnection(name)
    connection.sock = link
    connection.request(
        "GET", target, headers={"X-Forwarded-Proto": "https", "Connection": "close", "User-Agent": "filaectl"}
    )
    answer = http.client.HTTPResponse(cast("socket.socket", _Incoming(link, deadline)), method="GET")
    answer.begin()
    body = answer.read(MAX_BODY)
    return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)


def _stated_version(where: Mapping[str, str], answer: Response) -> str:
    if "header" in where:
        return answer.headers.get(str(where["header"]).lower(), "")
    try:
        value = json.loads(answer.body)
        for key in str(where.get("json", "version")).split("."):
            value = value[key]
        return str(value)
    except (ValueError, KeyError, TypeError, RecursionError):  # RecursionError: it is nested without end
        return ""
