from __future__ import annotations

import os
from pathlib import Path

import pytest

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.transaction.journal import Journal, open_transaction, transactions


def test_an_event_names_its_format_boot_and_machine(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", boot="b", machine="m")
    journal.write("begin", tx="t")
    (event,) = journal.read()
    assert (event["format"], event["boot"], event["machine"], event["tx"]) == (1, "b", "m", "t")
    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


def test_write_then_fsync_then_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real_write, real_fsync = os.write, os.fsync
    monkeypatch.setattr(os, "write", lambda fd, data: (order.append("write"), real_write(fd, data))[1])
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("fsync"), real_fsync(fd))[1])
    Journal(tmp_path / "j").write("begin", tx="t")
    assert order == ["write", "fsync", "fsync"]


def test_a_torn_line_is_forgotten_and_the_next_one_is_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.write("begin", tx="t")
    with journal.path.open("ab") as stream:
        stream.write(b'{"format": 1, "event": "step", "tx"')
    assert len(journal.read()) == 1
    journal.write("step", tx="t", step="stage")
    assert [e["event"] for e in journal.read()] == ["begin", "step"]


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('{"format": 2, "event": "begin", "tx": "t"}\n')
    with pytest.raises(Refused, match="format 2"):
        Journal(tmp_path / "j").read()


def test_a_refused_request_opens_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.write("refused", tx="t", reason="another was faster")
    assert transactions(journal.read()) == {}
    assert open_transaction(journal.read()) == []


def test_the_open_transaction_is_found_among_ended_ones(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for name in ("a", "b", "c"):
        journal.write("begin", tx=name)
        if name != "c":
            journal.write("rolled-back", tx=name)
    assert open_transaction(journal.read())[0]["tx"] == "c"


def test_no_journal_is_no_transaction(tmp_path: Path) -> None:
    assert Journal(tmp_path / "absent").read() == []
