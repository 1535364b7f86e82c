"""Back to a kept release: which, and why not; what was applied since is known from the journal and the manifests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live
from material.agent.kept_releases import EXPAND, Site, migrate

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.commands import rollback, submit
from filae_ops.agent.database import schema_table
from filae_ops.agent.preflight import capacity, checks
from filae_ops.agent.release import apt
from filae_ops.agent.runtime import health
from filae_ops.agent.system.errors import Refused


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(archive, "verify_tree", lambda *a: {})
    monkeypatch.setattr(checks, "machine_ready", lambda *a: None)
    monkeypatch.setattr(capacity, "memory_available", lambda machine: 0)
    monkeypatch.setattr(apt, "missing", lambda *a: [])
    monkeypatch.setattr(schema_table, "version", lambda machine: 30)
    made = Site(tmp_path)
    for version, schema, before in (("1.0.0", 10, ""), ("2.0.0", 20, "1.0.0"), ("3.0.0", 30, "2.0.0")):
        made.release(version, migrate=migrate(schema))
        made.deployed(version, before, schema_version=str(schema), kind=EXPAND)
    make_live(made.machine, "3.0.0", "green")
    return made


def test_the_default_is_the_release_live_before(site: Site) -> None:
    found = rollback.examine(site.machine, "")
    assert (found.contract.version, found.live.version, found.mode) == ("2.0.0", "3.0.0", "two")
    assert rollback.examine(site.machine, "1.0.0").contract.version == "1.0.0"


def test_it_is_said_before_it_is_done(site: Site) -> None:
    said = rollback.said(site.machine, rollback.examine(site.machine, ""))
    assert (said["from"], said["to"], said["colour"]) == ("3.0.0", "2.0.0", "blue")
    assert said["steps"][:2] == ["relock", "database"]
    assert said["notes"]["schema"] == "stays 30, wider than the release's"
    assert "no data is restored" in said["notes"]["data"]
    silent = replace(rollback.examine(site.machine, ""), contract=Contract({**CONTRACT, "migrate": None}))
    assert rollback.said(site.machine, silent)["notes"]["schema"] == "stays; the release states none"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("9.0.0", "not kept on this machine; kept: 1.0.0, 2.0.0, 3.0.0"),
        ("../../etc", "not kept on this machine"),
        ("3.0.0", "the live release itself, and not healthy: down"),
    ],
)
def test_what_is_not_kept_or_is_live_already(
    site: Site, monkeypatch: pytest.MonkeyPatch, asked: str, words: str
) -> None:
    monkeypatch.setattr(health, "problem", lambda *a: "down")
    with pytest.raises(Refused, match=words) as caught:
        rollback.examine(site.machine, asked)
    assert caught.value.next_step


def test_the_live_release_healthy_is_unchanged(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(health, "problem", lambda *a: "")
    assert rollback.rollback(site.machine, "3.0.0", as_json=True) == 0
    assert '"unchanged"' in capsys.readouterr().out


def test_a_rollback_never_goes_up_and_twice_does_not_come_back(site: Site) -> None:
    write = partial(site.journal.write, tx="back")
    write("begin", kind="rollback", version="2.0.0", from_version="3.0.0")
    write("committed")
    make_live(site.machine, "2.0.0", "blue")
    with pytest.raises(Refused, match=r"higher than the live 2\.0\.0"):
        rollback.examine(site.machine, "3.0.0")
    with pytest.raises(Refused, match=r"lower ones kept: 1\.0\.0"):
        rollback.examine(site.machine, "")


def test_nothing_is_deployed(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="nothing is deployed yet"):
        rollback.examine(machine_at(tmp_path)[0], "")


def test_packages_that_went_and_memory_that_is_short(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "missing", lambda *a: ["ruby-pg"])
    with pytest.raises(Refused, match="ruby-pg") as caught:
        rollback.examine(site.machine, "")
    assert caught.value.next_step == "apt-get install ruby-pg"
    monkeypatch.setattr(apt, "missing", lambda *a: [])
    monkeypatch.setattr(capacity, "memory_available", lambda machine: 1)
    assert rollback.examine(site.machine, "").mode == "one"


def test_a_rollback_is_asked_for_with_its_plan(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(submit, "carry_out", lambda machine, wanted, **how: asked.append((wanted, how)) or 0)
    assert rollback.rollback(site.machine, operator="claire", detach=True) == 0
    ((wanted, how),) = asked
    assert (wanted.kind, wanted.version, wanted.colour, wanted.from_version) == ("rollback", "2.0.0", "blue", "3.0.0")
    assert (wanted.operator, how["detach"]) == ("claire", True)
