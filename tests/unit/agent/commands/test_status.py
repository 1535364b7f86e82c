"""What status tells of a machine: the live release, the last transaction, and the receipts that it keeps."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from material.agent.fakes import machine_at, make_live, put_release

from filae_ops.agent.commands import attach, receipt, status
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.transaction import plan
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

PLAN = Plan("t1", "deploy", "2.1.0", "blue", "/b", "0" * 64, "provider", "claire")


@pytest.mark.parametrize(("at_work", "healthy"), [(True, True), (False, False)])
def test_a_transaction_that_was_cut_and_that_nobody_recovers_is_not_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_work: bool, healthy: bool
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(proof, "front_door", lambda *a, **k: "")
    monkeypatch.setattr(attach, "at_work", lambda machine: at_work)
    put_release(machine, "2.1.0")
    make_live(machine, "2.1.0", "blue")
    Journal(machine.layout.journal).write("begin", tx="t1", **plan.as_fields(PLAN))
    found = status.status(machine)
    assert (found["healthy"], found["problem"]) == (healthy, "transaction t1 is open")


def test_status_of_a_machine_without_a_release(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    found = status.status(machine)
    assert (found["version"], found["healthy"], found["releases"]) == (None, False, [])
    assert found["last_transaction"] is None


def test_status_tells_the_live_release_and_the_last_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(proof, "front_door", lambda *a, **k: "")
    put_release(machine, "2.0.0")
    put_release(machine, "2.1.0")
    make_live(machine, "2.1.0", "blue")
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plan.as_fields(PLAN))
    write("committed")
    found = status.status(machine)
    assert (found["version"], found["colour"], found["healthy"]) == ("2.1.0", "blue", True)
    assert found["releases"] == [{"version": "2.0.0", "live": False}, {"version": "2.1.0", "live": True}]
    assert found["last_transaction"]["outcome"] == "committed"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("yesterday", "not a date"),
        ("0001-01-01T00:00:00+14:00", "not a date"),
        ("2999-01-01", "in the future"),
        ("2026-01-01T22:00:00+02:00", ""),
    ],
)
def test_receipts(tmp_path: Path, at: str, words: str) -> None:
    machine, _ = machine_at(tmp_path)
    if words:
        with pytest.raises(Refused, match=words):
            receipt.receipt(machine, "backup", at, as_json=True)
        return
    assert receipt.receipt(machine, "backup", at, as_json=True) == 0
    assert json.loads((machine.layout.receipts / "backup.json").read_text())["at"] == "2026-01-01T20:00:00+00:00"


def test_status_tells_who_what_maintenance_and_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(proof, "front_door", lambda *a, **k: "")
    put_release(machine, "2.1.0")
    make_live(machine, "2.1.0", "blue")
    journal = Journal(machine.layout.journal)
    for name, end, who in (("t1", "committed", "claire"), ("t2", "rolled-back", "luc")):
        journal.write("begin", **{**plan.as_fields(PLAN), "operator": who}, tx=name)
        journal.write(end, tx=name, time="2026-01-01T10:00:00.000+00:00")
    (machine.layout.state / "maintenance.json").write_text(
        '{"since": "2026-01-02T08:00:00+00:00", "until": null, "by": "luc", "message": "word for patients"}'
    )
    machine.layout.closed_page.parent.mkdir(parents=True)
    machine.layout.closed_page.write_text("page")
    (machine.layout.state / "safety").mkdir()
    (machine.layout.state / "safety/t1.dump").write_bytes(b"x" * 2048)
    found = status.status(machine)
    assert (found["deployed_by"], found["since"]) == ("claire", "2026-01-01T10:00:00.000+00:00")
    assert found["safety_dumps"][0]["transaction"] == "t1"
    assert status.print_status(machine, as_json=False) == 0
    text = capsys.readouterr().out
    assert "2.1.0 on blue, since 2026-01-01 10:00 UTC by claire" in text
    assert "ON since 2026-01-02 08:00 UTC by luc, until it is switched off" in text
    assert "rolled-back" in text
    assert "word for patients" not in text
    assert max(map(len, text.splitlines())) <= 80
