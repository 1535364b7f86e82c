"""What `releases` lists: the kept ones, since when, by whom, and which may be put back."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import machine_at, make_live, put_release

from filae_ops.agent.commands import releases
from filae_ops.agent.database import schema_table
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction.journal import Journal


def migrate(schema: str, kind: str) -> dict[str, object]:
    return {"command": ["bin/rake"], "schema_version": schema, "kind": kind}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.0.0", migrate=migrate("1", "expand"), min_from="2.0.0")
    put_release(machine, "2.1.0", migrate=migrate("2", "expand"), min_from="2.0.0")
    put_release(machine, "2.2.0", migrate=migrate("2", "expand"), min_from="2.0.0")
    journal = Journal(machine.layout.journal)
    for version, before, schema, kind in (("2.0.0", "", "1", "expand"), ("2.1.0", "2.0.0", "2", "expand")):
        tx = f"t-{version}"
        journal.write("begin", tx=tx, kind="deploy", version=version, from_version=before, operator="claire")
        journal.write("done", tx=tx, step="migrate", schema_version=schema, kind=kind, seconds=1.0)
        journal.write("committed", tx=tx, time="2026-01-01T10:00:00.000+00:00")
    make_live(machine, "2.1.0", "blue")
    monkeypatch.setattr(schema_table, "version", lambda _: 2)
    return machine


def test_each_kept_release_says_whether_it_may_be_put_back(machine: Machine) -> None:
    found = {each["version"]: each for each in releases.releases(machine)}
    assert list(found) == ["2.2.0", "2.1.0", "2.0.0"]
    assert found["2.1.0"]["live"] is True
    assert (found["2.0.0"]["no_rollback"], found["2.0.0"]["by"]) == ("", "claire")
    assert "higher than the live" in found["2.2.0"]["no_rollback"]
    assert found["2.2.0"]["since"] is None


def test_the_table_fits_80_columns(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert releases.print_releases(machine, as_json=False) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    for part in ("2.1.0    2026-01-01 10:00  claire  LIVE", "possible", "no: version 2.2.0 is higher"):
        assert part in text


def test_long_names_still_fit() -> None:
    row = {"version": "2.1.0-rc." + "1" * 40, "since": None, "by": "x" * 64, "live": False, "no_rollback": "a " * 99}
    assert max(map(len, releases.lines([row]))) <= 80
    assert releases.lines([]) == ["no release is kept: nothing was deployed yet"]


def test_a_database_that_does_not_answer_is_no_permission(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Machine) -> int:
        from filae_ops.agent.system.process import Failed

        raise Failed("no server")

    monkeypatch.setattr(schema_table, "version", fail)
    found = {each["version"]: each for each in releases.releases(machine)}
    assert found["2.0.0"]["no_rollback"] == "not known: no server"
