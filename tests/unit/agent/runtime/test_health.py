"""How the application is asked: each answer is bounded, on a colour's socket and at the front door."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from material.agent.fakes import CONTRACT
from material.authority import Authority, key_pem, pem

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import health
from filae_ops.agent.runtime.health import Fetch
from filae_ops.agent.system.config import Config

NEW = Contract(CONTRACT)
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"version": "2.1.0"}'
Say = Callable[[socket.socket], None]


def drips(start: bytes, drop: bytes) -> Say:
    """Return a server that gives the start of an answer, then a drop of it ten times a second."""

    def say(link: socket.socket) -> None:
        link.sendall(start)
        for _ in range(100):
            link.sendall(drop)
            time.sleep(0.1)

    return say


def byte_by_byte(link: socket.socket) -> None:
    for place in range(len(GOOD)):
        link.sendall(GOOD[place : place + 1])


ANSWERS: dict[str, tuple[Say, str]] = {
    "whole": (lambda link: link.sendall(GOOD), ""),
    "in parts": (byte_by_byte, ""),
    "a body that drips": (drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "), "TimeoutError"),
    "headers that drip": (drips(b"HTTP/1.1 200 OK\r\n", b"a"), "TimeoutError"),
    "without end": (drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "TimeoutError"),
    "nothing": (lambda link: time.sleep(2), "TimeoutError"),
    "closed": (lambda link: None, "RemoteDisconnected"),
}


def serve(listener: socket.socket, say: Say, tls: ssl.SSLContext | None) -> None:
    """Answer each question in its own thread, until the listener is closed."""

    def answer(link: socket.socket) -> None:
        try:
            with tls.wrap_socket(link, server_side=True) if tls else link as spoken:
                spoken.recv(4096)
                say(spoken)
        except OSError:  # whoever asked has gone
            pass

    def accept() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def on_socket(place: Path, say: Say, timeout: float) -> Iterator[Fetch]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place / "s"))
        listener.listen()
        serve(listener, say, None)
        yield health.on_socket(place / "s", "filae.test", timeout)


def at_front_door(place: Path, say: Say, timeout: float) -> Iterator[Fetch]:
    authority, key = Authority(), ec.generate_private_key(ec.SECP256R1())
    chain = pem(authority.server(["filae.test"], key), authority.middle)
    for name, text in (("ca", pem(authority.root)), ("chain", chain), ("key", key_pem(key))):
        (place / name).write_text(text)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(place / "chain", place / "key")
    connect: Any = socket.create_connection
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.MonkeyPatch.context() as patch:
        serve(listener, say, tls)
        patch.setattr(socket, "create_connection", lambda _, timeout: connect(listener.getsockname(), timeout))
        config = SimpleNamespace(ca_file=str(place / "ca"), public_name="filae.test")
        yield health.at_front_door(cast("Config", config), timeout)


@pytest.mark.parametrize("way", [on_socket, at_front_door])
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_has_so_much_time_in_all(
    tmp_path: Path, way: Callable[[Path, Say, float], Iterator[Fetch]], answer: str
) -> None:
    say, problem = ANSWERS[answer]
    for fetch in way(tmp_path, say, 1.0):
        began = time.monotonic()
        found = health.wait(NEW, fetch, 0.2)
        assert problem in found
        assert bool(found) == bool(problem)
        assert time.monotonic() - began < 5
