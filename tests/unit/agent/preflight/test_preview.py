"""What `deploy --check` says: from, to, migration, room, time, the way back, and the change in words."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live, put_release

from filae_ops.agent.bundle import archive, changelog
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database.migration_check import Change
from filae_ops.agent.preflight import preview
from filae_ops.agent.preflight.capacity import MIB
from filae_ops.agent.preflight.checks import Checked
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.transaction import history
from filae_ops.agent.transaction.journal import Journal

CHANGE = Change(20260101000000, 20260901120000, "expand")
CHANGES = """# Nouveautés

## 2.1.0 (2026-11-02)

- Un dossier peut être urgent.\tOui.
- \x1b[31mrouge\x1b[0m \u202eretourné\r

### Détail

## [2.0.5] - 2026-10-01

- Corrigé.

# v2.0.0

- Premier.
"""


@pytest.mark.parametrize(
    ("after", "upto", "kept", "not_kept"),
    [
        ("2.0.0", "2.1.0", ["## 2.1.0 (2026-11-02)", "### Détail", "## [2.0.5] - 2026-10-01"], ["# v2.0.0"]),
        ("2.0.5", "2.1.0", ["## 2.1.0 (2026-11-02)"], ["- Corrigé."]),
        ("", "2.0.5", ["- Corrigé."], ["# v2.0.0", "### Détail"]),
        ("1.0.0", "2.0.0", ["# v2.0.0"], ["- Corrigé."]),
        ("2.1.0", "2.2.0", [], ["## 2.1.0 (2026-11-02)"]),
    ],
)
def test_sections_between_two_versions(after: str, upto: str, kept: list[str], not_kept: list[str]) -> None:
    lines = changelog.sections(CHANGES.encode(), after, upto)
    assert set(kept) <= set(lines)
    assert not set(not_kept) & set(lines)


def test_nothing_of_a_changelog_reaches_the_terminal_but_text() -> None:
    lines = changelog.sections(CHANGES.encode(), "2.0.5", "2.1.0")
    assert "- Un dossier peut être urgent. Oui." in lines
    assert "- [31mrouge[0m retourné" in lines


@pytest.mark.parametrize("data", [b"", b"\xff\xfe## 2.1.0", b"## 2.1.0\n" + b"x" * 10_000_000, b"## 99999999999.0\n"])
def test_any_bytes_give_a_bounded_text(data: bytes) -> None:
    assert all(len(line) <= changelog.MAX_COLUMNS for line in changelog.sections(data, "2.0.0", "2.1.0"))


def test_a_long_changelog_is_cut_and_said_to_be() -> None:
    lines = changelog.sections(b"## 2.1.0\n" + b"- more\n" * 500, "2.0.0", "2.1.0")
    assert (len(lines), lines[-1]) == (changelog.MAX_LINES + 1, "… and 421 lines more")


def test_a_release_without_changelog_or_with_a_link_in_its_place_says_nothing(tmp_path: Path) -> None:
    assert changelog.of_release(tmp_path, "2.0.0", "2.1.0") == []
    (tmp_path / "elsewhere").write_text(CHANGES)
    (tmp_path / "CHANGELOG.md").symlink_to("elsewhere")
    assert changelog.of_release(tmp_path, "2.0.0", "2.1.0") == []


def test_an_unreadable_bundle_has_no_words(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"no bundle")
    with pytest.raises(Refused):
        archive.read_file(tmp_path / "b", "CHANGELOG.md", 10)
    assert changelog.of_bundle(tmp_path / "b", "2.0.0", "2.1.0") == []


def past(machine: Machine, *took: float, kind: str = "deploy", before: str = "2.0.0", **extra: Any) -> None:
    """Write past transactions into the journal."""
    journal = Journal(machine.layout.journal)
    for number, seconds in enumerate(took):
        write = partial(journal.write, tx=f"{kind}-{before}-{number}")
        time = {"time": f"2026-01-01T00:{number:02}:00.000+00:00"}
        write("begin", kind=kind, version="2.0.1", from_version=before, operator="claire", **time)
        for name in extra:
            write(name)
        write("done", step="start", seconds=seconds / 10)
        write("committed", time=f"2026-01-01T00:{number:02}:{seconds:06.3f}+00:00")


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        ((), {"seconds": None, "of": 0}),
        ((30.0,), {"seconds": 30.0, "of": 1}),
        ((10, 20, 50), {"seconds": 20.0, "of": 3}),
        ((1, 1, 1, 9, 9, 9, 9, 9), {"seconds": 9.0, "of": 5}),
    ],
)
def test_the_expected_duration_is_the_median_of_the_last(
    tmp_path: Path, took: tuple[float, ...], expected: dict[str, Any]
) -> None:
    machine, _ = machine_at(tmp_path)
    past(machine, *took)
    past(machine, 59.0, before="")
    past(machine, 58.0, kind="rollback")
    assert history.duration(machine, "deploy") == expected


def test_a_recovered_transaction_teaches_no_duration(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    past(machine, 30.0, recover=True)
    assert history.duration(machine, "deploy") == {"seconds": None, "of": 0}


def test_who_put_a_version_into_service(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    past(machine, 30.0)
    events = Journal(machine.layout.journal).read()
    found = history.put_into_service(events, "2.0.1")
    assert found is not None
    assert (found["operator"], found["ended"]) == ("claire", "2026-01-01T00:00:30.000+00:00")
    assert history.put_into_service(events, "9.9.9") is None


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
