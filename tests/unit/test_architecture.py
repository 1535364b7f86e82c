"""Everything has its place: the rooms of docs/architecture.md are those of the code, and imports go down only."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from architecture import (
    FOUNDATIONS,
    MAX_FILES,
    PACKAGE,
    PAGE,
    SAME_THING,
    SENT_ALONE,
    circles,
    crowded,
    files,
    floors,
    from_elsewhere,
    imports,
    room_of,
    twice_named,
    unlisted,
    upwards,
)

TEXT = PAGE.read_text()
TABLE = floors(TEXT)
ROOMS = {room for row in TABLE for room in row}


def test_the_page_lists_the_rooms_that_are_there() -> None:
    last = [line for line in TEXT.splitlines() if line.startswith("| `errors.py`")]
    assert unlisted(files(), TABLE, re.findall(r"`(\w+\.py)`", last[0])) == []


def test_imports_go_down() -> None:
    assert upwards(imports(), TABLE) == []


def test_no_imports_in_a_circle() -> None:
    assert circles(imports()) == []


def test_no_room_is_crowded() -> None:
    assert crowded(files(), ROOMS) == []


def test_a_name_stands_for_one_thing() -> None:
    assert twice_named(files(), ROOMS) == []


def test_unit_tests_lie_in_rooms_of_the_same_names() -> None:
    here = PAGE.parents[1] / "tests/unit"
    folders = {path.parent.relative_to(here).as_posix() for path in here.rglob("test_*.py")} - {".", "roles"}
    assert {folder for folder in folders if not (PACKAGE / folder).is_dir()} == set()


def test_each_name_that_stands_for_the_same_thing_stands_there() -> None:
    there = {(path.rpartition("/")[2], room_of(path, ROOMS)) for path in files()}
    assert {(name, room) for name, rooms in SAME_THING.items() for room in rooms} <= there


@pytest.mark.parametrize("room", SENT_ALONE)
def test_what_is_sent_to_a_machine_needs_nothing_but_python(room: str) -> None:
    assert from_elsewhere(room) == []


def test_each_path_that_the_page_names_is_there() -> None:
    named = re.findall(r"`([a-z0-9_.]+/[a-z0-9_./]*)`", TEXT)
    assert len(named) > 60
    assert [name for name in named if not any((root / name).exists() for root in (PACKAGE, PACKAGE.parent))] == []


def test_each_step_has_its_row_and_its_file() -> None:
    from filae_ops.agent.steps.catalogue import KINDS

    section = TEXT.partition("\n## Recovery, step by step\n")[2]
    rows = re.findall(r"^\| `([a-z]+)` \| (\S[^|]*) \| \S", section, re.M)
    written = {(name, file) for name, cell in rows for file in re.findall(r"`(\w+\.py)`", cell)}
    assert written == {
        (step.name, f"{step.__module__.rpartition('.')[2]}.py") for kind in KINDS.values() for step in kind
    }
    for kind in KINDS.values():
        order = [step.name for step in kind]
        assert [name for name, _ in rows if name in order] == order


MANY = [f"report/document/part{number}.py" for number in range(MAX_FILES + 1)]
BESIDE = {"judge/judge.py": {"register/lookup.py"}, "register/lookup.py": {"errors.py"}, "errors.py": set[str]()}


@pytest.mark.parametrize(
    ("problems", "message"),
    [
        (upwards({"judge/judge.py": {"report/requirement.py"}}, TABLE), "move what both need to a room below judge"),
        (upwards({"facts/web.py": {"agent/system/durable.py"}}, TABLE), "facts may import only what stands below it"),
        (upwards({"doctor/diagnosis.py": {"trial/demo.py"}}, TABLE), "doctor may import only what stands below it"),
        (upwards({"errors.py": {"facts/web.py"}}, TABLE), f"{FOUNDATIONS} may import only what stands below it"),
        (circles(BESIDE | {"errors.py": {"judge/judge.py"}}), "a circle: "),
        (crowded(MANY, ROOMS), "report/document holds 13 files, 12 at most"),
        (twice_named(["report/flows/page.py", "report/review/page.py"], ROOMS), "page.py stands twice in one top room"),
        (twice_named(["lab/state.py", "judge/state.py"], ROOMS), "name each after what it holds"),
        (twice_named(["lab/contract.py", "bundle/contract.py", "agent/bundle/contract.py"], ROOMS), "SAME_THING"),
        (unlisted(["shed/tool.py"], [], []), "shed/ is in no row"),
        (unlisted(["errors.py"], [["judge"], [FOUNDATIONS]], ["errors.py"]), "judge/ is in docs/architecture.md"),
        (unlisted(["errors.py", "more.py"], [[FOUNDATIONS]], ["errors.py"]), "more.py: a foundation here"),
    ],
)
def test_what_is_out_of_place_is_said_with_where_it_belongs(problems: list[str], message: str) -> None:
    assert len(problems) == 1
    assert message in problems[0]


@pytest.mark.parametrize(
    "problems",
    [
        upwards(BESIDE, TABLE),
        circles(BESIDE),
        crowded(MANY[:-1], ROOMS),
        crowded([f"cli/command{number}.py" for number in range(30)], ROOMS),
        twice_named(["cli/state.py", "lab/state.py"], ROOMS),
        twice_named(["bundle/contract.py", "agent/bundle/contract.py"], ROOMS),
    ],
)
def test_what_is_in_its_place_is_left_alone(problems: list[str]) -> None:
    assert problems == []


def test_an_import_counts_wherever_it_stands() -> None:
    found = imports()
    assert "agent/release/gem_lock.py" in found["agent/release/at_start.py"]  # inside of a function
    assert "report/review/provenance.py" in found["report/review/document.py"]  # for types alone
    assert "lab/fleet.py" in found["cli/lab.py"]  # `from room import file`


def test_a_folder_within_a_room_is_of_that_room() -> None:
    assert room_of("playbook/callbacks/filae_events.py", ROOMS) == "playbook"
    assert str(PurePosixPath("agent/steps/dump.py").parent) == room_of("agent/steps/dump.py", ROOMS)
