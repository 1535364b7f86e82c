"""Secrets are looked for in logs, journals and files, by their names, for a bounded time, and no link is followed."""

from __future__ import annotations

import os
import time

from filae_ops.facts import secrets


def test_secrets_are_found_by_name_only(tmp_path):
    log = tmp_path / "x.log"
    log.write_bytes(b"before " + b"k" * 64 + b" after")
    late = time.monotonic() + 5
    assert secrets._in_file(str(log), {"token": b"k" * 64, "other": b"absent!!"}, late) == ({"token"}, True)
    assert secrets._in_file(str(tmp_path / "none"), {"token": b"k" * 64}, late) == (set(), True)


def test_a_secret_is_found_wherever_it_begins_and_a_log_without_end_is_left(tmp_path):
    log = tmp_path / "x.log"
    for before in (secrets.SMALL - 10, 3 * secrets.SMALL - 63):
        log.write_bytes(b"-" * before + b"k" * 64)
        assert secrets._in_file(str(log), {"token": b"k" * 64}, time.monotonic() + 5) == ({"token"}, True)
    os.truncate(log, 1 << 42)  # takes no room
    assert secrets._in_file(str(log), {"token": b"k" * 64}, time.monotonic() + 0.1) == ({"token"}, False)


def test_what_others_put_among_their_files_is_not_followed_and_keeps_nobody_waiting(tmp_path, monkeypatch):
    logs, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    for place in (logs, elsewhere):
        place.mkdir()
        (place / "x.log").write_bytes(b"k" * 64)
    os.mkfifo(logs / "pipe.log")
    (logs / "link.log").symlink_to(elsewhere / "x.log")
    (logs / "directory").symlink_to(elsewhere)
    monkeypatch.setattr(secrets, "needles", lambda: {"token": b"k" * 64})
    monkeypatch.setattr(secrets, "LOGS", {str(logs): r".*\.log"})
    monkeypatch.setattr(secrets, "_in_journal", lambda *_: (set(), True))
    found = secrets.leaks({})
    assert (found["logs"], found["unread"]) == ([f"token in {logs}/x.log"], [])
    # What was a readable file a moment ago.
    names = ("x.log", "pipe.log", "link.log", "directory/x.log", "absent")
    monkeypatch.setattr(secrets, "_small_readable", lambda: iter([str(logs / name) for name in names]))
    assert secrets.exposed({}) == [f"token in {logs}/x.log"]


JOURNALCTL = """#!/bin/sh
case "$1" in
--namespace=) printf 'quiet\n' ;;
--namespace=filae) printf 'kkkkkkkkkkkkkkkk\n'; exec sleep 30 ;;
esac
"""


def test_both_journals_are_searched_and_the_one_not_read_to_its_end_is_named(tmp_path, monkeypatch):
    (tmp_path / "journalctl").write_text(JOURNALCTL)
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(secrets, "needles", lambda: {"token": b"k" * 16})
    monkeypatch.setattr(secrets, "LOGS", {})
    monkeypatch.setattr(secrets, "READING_S", 0.5)
    began = time.monotonic()
    found = secrets.leaks({})
    assert time.monotonic() - began < 5
    assert found["logs"] == ["token in the application's journal"]
    assert found["unread"] == ["the application's journal"]
