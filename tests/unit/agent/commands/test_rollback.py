"""Back to a kept release: which, and why not; what was applied since is known from the journal and the manifests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live, put_release

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.commands import rollback, submit
from filae_ops.agent.database import compatibility, postgresql
from filae_ops.agent.preflight import capacity, checks
from filae_ops.agent.release import apt
from filae_ops.agent.runtime import health
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction.journal import Journal

EXPAND, CONTRACT_KIND, WINDOW = "expand", "contract", "window"


def migrate(schema: int | str | None, kind: str | None = EXPAND) -> dict[str, Any]:
    return {"command": ["bin/migrate"], "schema_version": schema and str(schema), "kind": kind}


class Site:
    """Releases 1 to 3 (schemas 10, 20, 30), the last one live; `journal` tells who migrated."""

    def __init__(self, root: Path) -> None:
        self.machine: Machine = machine_at(root)[0]
        self.journal = Journal(self.machine.layout.journal)

    def release(self, version: str, **changes: Any) -> Contract:
        return of_release(put_release(self.machine, version, **{"min_from": "0.0.0", **changes}))

    def deployed(self, version: str, before: str, outcome: str = "committed", **migrated: Any) -> None:
        write = partial(self.journal.write, tx=f"t{version}-{len(self.journal.read())}")
        write("begin", kind="deploy", version=version, from_version=before)
        write("step", step="migrate")
        write("done", step="migrate", **migrated)
        write(outcome)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(archive, "verify_tree", lambda *a: {})
    monkeypatch.setattr(checks, "machine_ready", lambda *a: None)
    monkeypatch.setattr(capacity, "memory_available", lambda machine: 0)
    monkeypatch.setattr(apt, "missing", lambda *a: [])
    monkeypatch.setattr(postgresql, "schema_version", lambda machine: 30)
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
    assert said["steps"][:2] == ["relock", "start"]
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


def test_the_stop_of_the_live_release_holds_downwards_too(site: Site) -> None:
    live = Contract({**CONTRACT, "version": "3.0.0", "min_from": "2.0.0"})
    compatibility.only_downwards(Contract({**CONTRACT, "version": "2.0.0"}), live)
    with pytest.raises(Refused, match=r"reached from 2\.0\.0 or later"):
        compatibility.only_downwards(Contract({**CONTRACT, "version": "1.9.0"}), live)


@pytest.mark.parametrize(
    ("applied", "schema", "words"),
    [
        ([("3.0.0", 30, EXPAND, "committed")], 30, ""),
        ([("3.0.0", 30, CONTRACT_KIND, "committed")], 30, "3.0.0 applied a migration of kind contract"),
        ([("3.0.0", 30, WINDOW, "committed")], 30, "of kind window"),
        ([("3.0.0", 30, "", "committed")], 30, "whose kind is not known"),
        # An undone deploy leaves its schema; its tree is gone, the journal remembers.
        ([("3.0.0", 30, EXPAND, "committed"), ("4.0.0", 40, EXPAND, "rolled-back")], 40, ""),
        ([("3.0.0", 30, EXPAND, "committed"), ("4.0.0", 40, WINDOW, "rolled-back")], 40, "4.0.0 applied"),
        # Someone else migrated, or a failed deploy did in part.
        ([("3.0.0", 30, EXPAND, "committed")], 35, "no release known here made it"),
        # The database was restored.
        ([("3.0.0", 30, EXPAND, "committed")], 15, "behind the 20 of 2.0.0"),
        # The same schema: whoever migrated since changed nothing.
        ([("3.0.0", 20, WINDOW, "committed")], 20, ""),
    ],
)
def test_every_migration_since_the_target_must_have_widened_the_schema(
    tmp_path: Path, applied: list[tuple[str, int, str, str]], schema: int, words: str
) -> None:
    site = Site(tmp_path)
    target = site.release("2.0.0", migrate=migrate(20))
    site.deployed("2.0.0", "1.0.0", schema_version="20", kind=EXPAND)
    for version, made, kind, outcome in applied:
        site.deployed(version, "2.0.0", outcome, schema_version=str(made), kind=kind)
    if not words:
        compatibility.compatible(site.machine, site.journal.read(), target, schema)
        return
    with pytest.raises(Refused, match=words) as caught:
        compatibility.compatible(site.machine, site.journal.read(), target, schema)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("kind", "in_manifest", "words"),
    [(EXPAND, None, ""), (None, EXPAND, ""), (None, WINDOW, "of kind window"), (None, None, "not known")],
)
def test_a_manifest_tells_what_the_journal_does_not(
    tmp_path: Path, kind: str | None, in_manifest: str | None, words: str
) -> None:
    """Without `kind` in the journal (an older agent wrote it), and without a journal at all."""
    for known in (True, False):
        site = Site(tmp_path / str(known))
        target = site.release("2.0.0", migrate=migrate(20))
        site.release("3.0.0", migrate=migrate(30, in_manifest or (None if kind is None else kind)))
        if known:
            site.deployed("3.0.0", "2.0.0", schema_version="30", **({"kind": kind} if kind else {}))
        if not words:
            compatibility.compatible(site.machine, site.journal.read(), target, 30)
            continue
        with pytest.raises(Refused, match=words):
            compatibility.compatible(site.machine, site.journal.read(), target, 30)


def test_a_target_without_migrations_bears_no_narrowing_of_a_later_release(tmp_path: Path) -> None:
    """Without a journal: the manifests of the later releases tell."""
    site = Site(tmp_path)
    target = site.release("2.0.0", migrate=None)
    site.release("1.0.0", migrate=migrate(10, WINDOW))
    compatibility.compatible(site.machine, [], target, 10)
    site.release("3.0.0", migrate=migrate(30, WINDOW))
    with pytest.raises(Refused, match=r"3\.0\.0 applied a migration of kind window"):
        compatibility.compatible(site.machine, [], target, 30)


def test_an_application_without_migrations_goes_back_freely(tmp_path: Path) -> None:
    site = Site(tmp_path)
    target = site.release("2.0.0", migrate=None)
    site.deployed("3.0.0", "2.0.0", not_run="the contract states no migration")
    compatibility.compatible(site.machine, site.journal.read(), target, None)


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
