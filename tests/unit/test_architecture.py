"""Everything has its place: the rooms of docs/architecture.md are those of the code, and imports go down only."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import architecture
import pytest
from architecture import (
    FOUNDATIONS,
    MAX_FILES,
    PACKAGE,
    PAGE,
    SAME_THING,
    SENT_ALONE,
    astray,
    circles,
    crowded,
    files,
    floors,
    from_elsewhere,
    imports,
    room_of,
    twice_named,
    unlisted,
    unmarked,
    upwards,
    with_code,
)

TEXT = PAGE.read_text()
TABLE = floors(TEXT)
BESIDE = re.findall(r"`(\w+\.py)`", next(line for line in TEXT.splitlines() if line.startswith("| `errors.py`")))


@pytest.mark.parametrize(
    "problems",
    [
        pytest.param(lambda: unlisted(files(), TABLE, BESIDE), id="the page lists the rooms that are there"),
        pytest.param(lambda: unmarked(files()), id="each room is a package"),
        pytest.param(with_code, id="a room's own file says what it is, and does nothing"),
        pytest.param(lambda: upwards(imports(), TABLE), id="imports go down"),
        pytest.param(lambda: circles(imports()), id="no imports in a circle"),
        pytest.param(astray, id="each import leads somewhere"),
        pytest.param(lambda: crowded(files()), id="no room is crowded"),
        pytest.param(lambda: twice_named(files()), id="a name stands for one thing"),
        *[pytest.param(lambda room=room: from_elsewhere(room), id=f"{room} needs but Python") for room in SENT_ALONE],
    ],
)
def test_everything_is_in_its_place(problems: Callable[[], list[str]]) -> None:
    wrong = problems()
    assert not wrong, "\n" + "\n".join(wrong)


def test_unit_tests_lie_in_rooms_of_the_same_names() -> None:
    here = PAGE.parents[1] / "tests/unit"
    folders = {path.parent.relative_to(here).as_posix() for path in here.rglob("test_*.py")} - {".", "roles"}
    assert {folder for folder in folders if not any((PACKAGE / folder).glob("*.py"))} == set()


def test_each_name_that_stands_for_the_same_thing_stands_there() -> None:
    there = {(path.rpartition("/")[2], room_of(path)) for path in files()}
    assert {(name, room) for name, rooms in SAME_THING.items() for room in rooms} <= there


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
DOWN = {"judge/judge.py": {"register/lookup.py"}, "register/lookup.py": {"errors.py"}, "errors.py": set[str]()}


@pytest.mark.parametrize(
    ("problems", "message"),
    [
        (upwards({"judge/judge.py": {"report/requirement.py"}}, TABLE), "move what both need to a room below judge"),
        (upwards({"facts/web.py": {"agent/system/durable.py"}}, TABLE), "facts may import only what stands below it"),
        (upwards({"doctor/diagnosis.py": {"trial/demo.py"}}, TABLE), "doctor may import only what stands below it"),
        (upwards({"errors.py": {"judge/judge.py"}}, TABLE), f"{FOUNDATIONS} may import only what stands below it"),
        (upwards({"inventory/model/site.py": {"judge/shed/tool.py"}}, TABLE), "may import only what stands below it"),
        (upwards({"inventory/__init__.py": {"cli/deploy.py"}}, TABLE), "inventory may import only"),
        (circles(DOWN | {"errors.py": {"judge/judge.py"}}), "a circle: "),
        (crowded(MANY), "report/document holds 13 files, 12 at most"),
        (twice_named(["report/flows/page.py", "report/review/page.py"]), "page.py stands twice in one top room"),
        (twice_named(["judge/Words.py", "judge/words.py"]), "words.py stands twice in one top room"),
        (twice_named(["playbook/run.py", "playbook/callbacks/run.py"]), "run.py stands twice in one top room"),
        (twice_named(["lab/state.py", "judge/state.py"]), "name each after what it holds"),
        (twice_named(["lab/contract.py", "bundle/contract.py", "agent/bundle/contract.py"]), "SAME_THING"),
        (unlisted(["shed/tool.py"], [], []), "shed/ is in no row"),
        (unlisted(["judge/judge.py", "judge/shed/tool.py"], [["judge"]], []), "judge/shed/ is in no row"),
        (unlisted(["errors.py"], [["judge"], [FOUNDATIONS]], ["errors.py"]), "judge/ is in docs/architecture.md"),
        (unlisted(["lab/state.py"], [["lab"], ["lab"]], []), "lab/ has 2 rows"),
        (unlisted(["errors.py", "more.py"], [[FOUNDATIONS]], ["errors.py"]), "more.py: a foundation here"),
        (unmarked(["judge/__init__.py", "judge/shed/tool.py"]), "judge/shed/ has no __init__.py"),
    ],
)
def test_what_is_out_of_place_is_said_with_where_it_belongs(problems: list[str], message: str) -> None:
    assert len(problems) == 1
    assert message in problems[0]


@pytest.mark.parametrize(
    "problems",
    [
        upwards(DOWN, TABLE),
        circles(DOWN),
        crowded(MANY[:-1]),
        crowded([f"cli/command{number}.py" for number in range(30)]),
        twice_named(["cli/state.py", "lab/state.py"]),
        twice_named(["bundle/contract.py", "agent/bundle/contract.py"]),
        unlisted(["tls13/tool.py"], floors("\n## Rooms\n| `tls13/` | | |\n"), []),
    ],
)
def test_what_is_in_its_place_is_left_alone(problems: list[str]) -> None:
    assert problems == []


def test_an_import_counts_wherever_it_stands() -> None:
    graph = imports()
    assert "agent/release/gem_lock.py" in graph["agent/release/at_start.py"]  # inside of a function
    assert "report/review/provenance.py" in graph["report/review/document.py"]  # for types alone
    assert "lab/fleet.py" in graph["cli/lab.py"]  # `from room import file`
    assert "inventory/reading/ansible_pool_server.py" in graph["inventory/reading/ansible_pool.py"]  # `python -m`


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("from . import words", "a relative import"),
        ("import filae_ops", "hides what is used"),
        ("from filae_ops.judge import absent", "imports filae_ops.judge.absent, which is nowhere"),
        ("def late():\n    from filae_ops.errors import Absent", "imports filae_ops.errors.Absent, which is nowhere"),
        ("from filae_ops.judge.shed import tool", "imports itself"),
        ("import importlib\nimportlib.import_module('filae_ops.cli')", "loads a module by its name"),
    ],
)
def test_an_import_that_leads_nowhere_is_said_with_its_line(
    code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "filae_ops"
    (package / "judge").mkdir(parents=True)
    for name in ("__init__.py", "errors.py", "judge/__init__.py"):
        (package / name).write_text("")
    (package / "judge/shed.py").write_text(f"tool = 1\n{code}\n")
    monkeypatch.setattr(architecture, "ROOT", tmp_path)
    monkeypatch.setattr(architecture, "PACKAGE", package)
    wrong = astray()
    assert len(wrong) == 1
    assert message in wrong[0]
    assert wrong[0].startswith(f"filae_ops/judge/shed.py:{1 + len(code.splitlines())}: ")


def test_the_folder_of_plugins_is_of_the_room_above_it() -> None:
    assert room_of("playbook/callbacks/filae_events.py") == "playbook"
