"""Logs over SSH: which machine, which words, and that both ends notice when the other is gone."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from filae_ops.cli import logs
from filae_ops.errors import OpsError
from filae_ops.remote import connection as remotes
from filae_ops.remote.connection import Remote
from filae_ops.remote.rollout import Target


class Channel:
    """A channel that gives pieces, or what is raised; remembers what it is sent."""

    def __init__(self, *pieces: Any, status: int = 0) -> None:
        self.pieces, self.status = list(pieces), status
        self.sent: list[bytes] = []
        self.closed, self.command = False, ""

    def exec_command(self, command: str) -> None:
        self.command = command

    def settimeout(self, _: float) -> None: ...

    def recv(self, _: int) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, BaseException):
            raise piece
        return piece  # type: ignore[no-any-return]

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def recv_exit_status(self) -> int:
        return self.status

    def makefile_stderr(self, *_: object) -> Any:
        return SimpleNamespace(read=lambda: b"filaectl: no\n  who acts: provider\n  next: x\n")

    def close(self) -> None:
        self.closed = True


def remote(channel: Channel, *, connected: bool = True) -> Remote:
    transport = SimpleNamespace(open_session=lambda: channel)
    connection = SimpleNamespace(transport=transport, is_connected=connected)
    return Remote(SimpleNamespace(name="v1"), connection)  # type: ignore[arg-type]


def test_lines_come_whole_whatever_the_pieces() -> None:
    channel, lines = Channel(b"on", TimeoutError(), b"e\ntw", b"o\n"), []
    assert remote(channel).follow(["a b", "c"], lines.append).status == 0
    assert lines == ["one", "two"]
    assert (channel.command, channel.closed) == ("'a b' c", True)


def test_the_machine_is_told_that_we_still_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(remotes.time, "monotonic", lambda: next(clock))
    channel = Channel(*[TimeoutError()] * 6)
    remote(channel).follow(["logs"], print)
    assert channel.sent == [b"\n"] * 3


def test_ctrl_c_closes_the_channel() -> None:
    channel = Channel(b"one\n", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        remote(channel).follow(["logs"], print)
    assert channel.closed


def test_a_lost_connection_is_no_end() -> None:
    assert remote(Channel(b"one\n"), connected=False).follow(["logs"], print).status == -1


def machines(*names: str) -> list[Target]:
    return [Target(f"s/{name}", SimpleNamespace(name=name), Path()) for name in names]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "follow", "found"),
    [
        (None, False, ["s/a", "s/b"]),
        ("a", True, ["s/a"]),
        ("s/b", False, ["s/b"]),
        (None, True, None),
        ("c", False, None),
    ],
)
def test_one_machine_is_followed(host: str | None, follow: bool, found: list[str] | None) -> None:
    if found is None:
        with pytest.raises(OpsError, match="the inventory has s/a, s/b"):
            logs.chosen(machines("a", "b"), host, follow=follow)
    else:
        assert [each.label for each in logs.chosen(machines("a", "b"), host, follow=follow)] == found


@pytest.mark.parametrize(
    ("status", "connected", "said"), [(1, True, "v1: filaectl: no"), (0, False, "v1: the connection was lost")]
)
def test_what_went_wrong_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, connected: bool, said: str
) -> None:
    channel = Channel(b'{"message": "hello"}\n', status=status)
    there = remote(channel, connected=connected)
    monkeypatch.setattr("filae_ops.remote.connection.connect", lambda *_: contextlib.nullcontext(there))
    (target,) = machines("v1")
    target = Target("v1", target.host, target.site)
    with pytest.raises(OpsError, match=said):
        logs._one(target, None, None, logs._words("web", 5, True, True), several=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"host": "v1", "message": "hello"}
    assert channel.command.endswith("filaectl logs --attached -n 5 --unit web --follow --json")


def test_it_is_said_that_they_may_hold_patients_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logs, "targets_of", lambda _: [])
    with pytest.raises(OpsError):
        logs.logs(None, host="none")  # type: ignore[arg-type]
    monkeypatch.setattr(logs, "targets_of", lambda _: machines("a"))
    monkeypatch.setattr(logs, "_one", lambda *_, **__: None)
    logs.logs(None)  # type: ignore[arg-type]
    captured = capsys.readouterr()
    assert "may hold patients' data" in captured.err
    assert captured.out == ""
