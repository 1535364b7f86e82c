"""What a rollback may go back to: every migration since must have widened the schema only."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT
from material.agent.kept_releases import CONTRACT_KIND, EXPAND, WINDOW, Site, migrate

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import compatibility
from filae_ops.agent.system.errors import Refused


def test_the_stop_of_the_live_release_holds_downwards_too() -> None:
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
    [(EXPAND, None, ""), (None, EXPAND, ""), (None, WINDOW, "of kind window"), (None, None, "not known|of any kind")],
)
def test_a_manifest_tells_what_the_journal_does_not(
    tmp_path: Path, kind: str | None, in_manifest: str | None, words: str
) -> None:
    """Without `kind` in the journal (an older agent wrote it), and without a journal at all; nor a kept release."""
    for known in (True, False):
        site = Site(tmp_path / str(known))
        target = site.release("2.0.0", migrate=migrate(20))
        if stated := in_manifest or kind:
            site.release("3.0.0", migrate=migrate(30, stated))
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
