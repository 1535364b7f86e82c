"""The application's logs: which units, what is shown of a line, and when following ends."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Any

import pytest

from filae_ops.agent.commands import logs
from filae_ops.agent.system.errors import Refused

WEB = ["filae-web@blue.service", "filae-web@green.service"]


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("", [*WEB, "filae-worker@*.service", "filae-timer@*.service", "filae-run-*.service"]),
        ("web", WEB),
        (
            "migrate",
            [
                "filae-worker@migrate-blue.service", "filae-worker@migrate-green.service",
                "filae-timer@migrate.service", "filae-run-migrate.service",
            ],
        ),
    ],
)  # fmt: skip
def test_a_process_is_named_as_in_the_contract(name: str, units: list[str]) -> None:
    assert logs.patterns(name) == units
    assert logs.argv(name, 7, follow=True)[-1] == "--follow"
    assert "--lines=7" in logs.argv(name, 7, follow=False)


def test_the_application_s_journal_is_read_with_what_systemd_says_in_its_own() -> None:
    assert "--namespace=+filae" in logs.argv("", 7, follow=False)


@pytest.mark.parametrize("name", ["../x", "*", "ssh.service", "-u", "a b", "x" * 65])
def test_only_the_applications_units_can_be_named(name: str) -> None:
    with pytest.raises(Refused, match="not a process of a release"):
        logs.patterns(name)


def entry(**fields: Any) -> bytes:
    base = {"__REALTIME_TIMESTAMP": "1767225600123456", "_SYSTEMD_UNIT": "filae-web@blue.service", "MESSAGE": "hello"}
    return json.dumps(base | fields).encode()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (entry(), "00:00:00.123 web@blue: hello"),
        (entry(MESSAGE="a\rb\u2028c\nd"), "00:00:00.123 web@blue: a | b | c | d"),
        (entry(MESSAGE=[104, 233]), "00:00:00.123 web@blue: h\ufffd"),
        (entry(UNIT="filae-web@green.service", _SYSTEMD_UNIT="init.scope", _PID="1"), "00:00:00.123 web@green: hello"),
        (entry(UNIT="sshd.service", _PID="812"), "00:00:00.123 web@blue: hello"),
        (entry(UNIT="x: ok\n10:00:00.000 sshd"), "00:00:00.123 web@blue: hello"),
        (entry(UNIT=["a", "b\nc"], _PID="1"), "00:00:00.123 ['a', 'b\\nc']: hello"),
        (entry(_SYSTEMD_UNIT="a\nb\u2028c"), "00:00:00.123 a | b | c: hello"),
        (entry(MESSAGE=None), "00:00:00.123 web@blue: (a message too long for the journal to show)"),
        (entry(MESSAGE=""), "00:00:00.123 web@blue: "),
        (b"not json", ""),
        (b"[]", ""),
    ],
)
def test_an_entry_of_the_journal_is_one_line(line: bytes, text: str) -> None:
    assert logs.shown(line, as_json=False) == text


def test_json_lines_hold_time_unit_and_message() -> None:
    assert json.loads(logs.shown(entry(), as_json=True)) == {
        "time": "2026-01-01T00:00:00.123+00:00", "unit": "web@blue", "message": "hello",
    }  # fmt: skip


def test_following_ends_with_the_source() -> None:
    with subprocess.Popen(["printf", "one\\ntwo\\nhalf"], stdout=subprocess.PIPE) as source:
        assert source.stdout is not None
        assert list(logs.lines(source.stdout, None)) == [b"one", b"two"]


@pytest.mark.parametrize("leaves", [True, False], ids=["the listener leaves", "the listener says nothing any more"])
def test_following_ends_with_whoever_asked(leaves: bool) -> None:
    here, there = os.pipe()
    started = time.monotonic()
    with subprocess.Popen(["sh", "-c", "echo one; exec sleep 30"], stdout=subprocess.PIPE) as source:
        assert source.stdout is not None
        found = logs.lines(source.stdout, here, patience=60 if leaves else 0.1)
        if leaves:
            assert next(found) == b"one"
            os.close(there)
        assert list(found) in ([], [b"one"])
        source.kill()
    assert time.monotonic() - started < 10
