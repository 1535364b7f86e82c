"""What `deploy --check` says: from, to, migration, room, time, the way back, and the change in words."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live, put_release
from material.agent.past_transactions import past

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database.migration_check import Change
from filae_ops.agent.preflight import preview
from filae_ops.agent.preflight.capacity import MIB
from filae_ops.agent.preflight.checks import Checked
from filae_ops.agent.system.machine import Live
from filae_ops.agent.transaction.journal import Journal

CHANGE = Change(20260101000000, 20260901120000, "expand")


def migration(kind: str | None, *, pending: bool = True) -> dict[str, Any]:
    return {"kind": kind, "pending": pending}


@pytest.mark.parametrize(
    ("live", "found", "possible", "said"),
    [
        (None, migration("expand"), False, "no release is live yet"),
        ("2.0.0", None, True, "all that is entered meanwhile stays"),
        ("2.0.0", migration("contract", pending=False), True, "the schema does not change"),
        ("2.0.0", migration("expand"), True, "the schema stays as migrated"),
        ("2.0.0", migration("contract"), False, "of kind contract is never undone"),
        ("2.0.0", migration("window"), False, "would lose what is entered"),
        ("2.0.0", migration(None), False, "whose kind is not stated"),
    ],
)
def test_the_way_back(live: str | None, found: dict[str, Any] | None, possible: bool, said: str) -> None:
    way = preview.afterwards(Live(live, "blue") if live else None, found)
    assert way["possible"] is possible
    assert said in way["why"]


def checked(live: Live | None, change: Change | None = None) -> Checked:
    return Checked("provider", Contract(CONTRACT), live, ("puma",), 1, 60 * MIB, 900 * MIB, 700 * MIB, change=change)


def test_an_outline_of_an_update(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.0.0", migrate={"schema_version": "20260101000000", "command": ["x"], "kind": "expand"})
    make_live(machine, "2.0.0", "blue")
    past(machine, 20.0, 40.0)
    said = preview.outline(machine, tmp_path / "none", checked(machine.live(), CHANGE))
    assert (said["from"], said["to"], said["colour"], said["mode"]) == ("2.0.0", "2.1.0", "green", "two")
    assert said["migration"] == {
        "from": "20260101000000", "schema_version": "20260901120000", "kind": "expand", "pending": True,
    }  # fmt: skip
    assert said["duration"] == {"seconds": 30.0, "of": 2}
    assert said["rollback"]["possible"] is True
    lines = preview.words({**said, "changes": ["## 2.1.0", "", "- " + "long " * 40]})
    assert max(map(len, lines)) <= preview.WIDTH
    text = "\n".join(lines)
    for part in ("would deploy: 2.0.0 -> 2.1.0", "expand, schema 20260101000000 -> 20260901120000",
                 "60 MiB needed, 900 free", "about 30 s, the median of the last 2 here", "## 2.1.0",
                 "possible to 2.0.0", "nothing was changed"):  # fmt: skip
        assert part in text


def test_a_schema_that_an_undone_update_left_is_not_migrated_again(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.0.0", migrate={"schema_version": "20260101000000", "command": ["x"], "kind": "expand"})
    make_live(machine, "2.0.0", "blue")
    said = preview.outline(machine, tmp_path / "none", checked(machine.live()))
    assert said["migration"]["pending"] is False
    assert "none: the schema is 20260901120000 already" in "\n".join(preview.words(said))
    assert said["rollback"]["possible"] is True


def test_a_migration_that_an_undone_update_left_forbids_the_way_back(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.0.0", migrate={"schema_version": "20260101000000", "command": ["x"], "kind": "expand"})
    make_live(machine, "2.0.0", "blue")
    write = partial(Journal(machine.layout.journal).write, tx="t")
    write("begin", kind="deploy", version="2.0.9", from_version="2.0.0", operator="claire")
    write("done", step="migrate", seconds=1.0, schema_version="20260901120000", kind="contract")
    write("rolled-back")
    said = preview.outline(machine, tmp_path / "none", checked(machine.live()))
    assert said["rollback"]["possible"] is False
    assert "2.0.9, undone since, left a migration of kind contract" in said["rollback"]["why"]


def test_a_setup_that_was_done_is_not_announced(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    machine.layout.setup_done.parent.mkdir(parents=True, exist_ok=True)
    machine.layout.setup_done.write_text("{}\n")
    assert preview.outline(machine, tmp_path / "none", checked(None))["setup"] is False


def test_an_outline_of_the_first_deployment(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    said = preview.outline(machine, tmp_path / "none", checked(None))
    text = "\n".join(preview.words(said))
    assert (said["from"], said["setup"], said["duration"]["seconds"]) == (None, True, None)
    for part in ("nothing -> 2.1.0", "unknown: none of this kind", "first setup, once", "way back    none: no release"):
        assert part in text


@pytest.mark.parametrize(("stall", "words"), [(4.2, "about 4 s, as the last"), (None, "(unknown)")])
def test_one_colour_is_said_with_its_stall(stall: float | None, words: str) -> None:
    said = {"kind": "deploy", "from": "1.0.0", "to": "1.1.0", "mode": "one", "stall_seconds": stall,
            "colour": "blue", "steps": ["replace"]}  # fmt: skip
    text = " ".join(" ".join(preview.words(said)).split())
    assert "one colour, as memory is short for two: requests are held, none refused" in text
    assert words in text


def test_an_outline_of_a_rollback_says_what_goes_away() -> None:
    said = {"kind": "rollback", "from": "2.1.0", "to": "2.0.0", "mode": "two", "colour": "blue", "steps": ["start"],
            "notes": {"data": "all stays"}, "changes": ["## 2.1.0"]}  # fmt: skip
    lines = preview.words(said)
    assert lines[0] == "would roll back: 2.1.0 -> 2.0.0"
    assert "what goes away again, in the release's own words:" in lines
    assert "  data        all stays" in lines
