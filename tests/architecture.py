"""The rooms of the package and its imports, as the code has them and as docs/architecture.md says.

Paths are relative to `filae_ops/`: the room of `agent/steps/dump.py` is `agent/steps`, and the files that lie beside
the rooms are one room, the foundations. What checks returns a line for each thing that is wrong, with where it belongs.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "filae_ops"
PAGE = ROOT / "docs/architecture.md"
FOUNDATIONS = "the foundations"
MAX_FILES = 12
CATALOGUES = ("cli", "facts", "agent/commands", "agent/steps", "inventory/model")
"""Rooms that hold as many files as there are commands, parts, steps or themes."""
SENT_ALONE = ("agent", "facts")
"""Rooms that run on a machine which has nothing but Python."""
SAME_THING: Mapping[str, frozenset[str]] = {
    "access.py": frozenset({"inventory/model", "facts"}),  # who may enter: declared, and measured
    "application.py": frozenset({"inventory/model", "facts"}),
    "network.py": frozenset({"inventory/model", "facts"}),
    "contract.py": frozenset({"bundle", "agent/bundle"}),  # as it is stated, and as the machine reads it
    "vendored_gems.py": frozenset({"bundle", "agent/release"}),
    "errors.py": frozenset({FOUNDATIONS, "agent/system"}),  # the expected errors of each program
    "hosting.py": frozenset({"inventory/model", "judge/operators"}),  # declared, and judged
    "machine.py": frozenset({"inventory/model", "agent/system", "lab"}),  # the layer's own Machine
    "main.py": frozenset({"agent", "facts"}),  # where what was sent begins
}
"""File names that stand in several rooms because they are about the same thing."""

Imports = Mapping[str, Collection[str]]


def files() -> list[str]:
    """Return the package's files of Python, sorted."""
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imports() -> dict[str, set[str]]:
    """Return what each file imports of the package, inside of functions and for types too."""
    known = {_module(path): path for path in files()}
    found: dict[str, set[str]] = {}
    for path in files():
        names = {name for node in ast.walk(_tree(path)) for name in _imported(node)}
        # `from a.b import c` imports a module of that name, else a name of the module a.b.
        targets = {
            known.get(name) or known.get(name.rpartition(".")[0]) for name in names if name.startswith("filae_ops")
        }
        found[path] = {target for target in targets if target and target != path}
    return found


def _tree(path: str) -> ast.AST:
    return ast.parse((PACKAGE / path).read_text())


def _module(path: str) -> str:
    return ".".join(("filae_ops", *PurePosixPath(path).with_suffix("").parts)).removesuffix(".__init__")


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "relative imports are not read here: write the whole name"
        yield from (f"{node.module}.{each.name}" for each in node.names)


def floors(page: str) -> list[list[str]]:
    """Return the table of rooms, from the top down: the rooms of each row."""
    section = page.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"`([a-z_./]+)`", line.split("|")[1]) for line in section.splitlines() if line.startswith("| `")]
    return [[name.rstrip("/") for name in row if name.endswith("/")] or [FOUNDATIONS] for row in rows]


def room_of(path: str, rooms: Collection[str]) -> str:
    """Return the room of a file: the nearest folder of the table that holds it."""
    if path == "__main__.py":
        return "cli"
    for folder in PurePosixPath(path).parents:
        if str(folder) in rooms:
            return str(folder)
    return FOUNDATIONS if "/" not in path else str(PurePosixPath(path).parent)


def unlisted(paths: Sequence[str], table: Sequence[Sequence[str]], named: Collection[str]) -> list[str]:
    """Return rooms that the table lacks or has in vain; `named`: the foundations that it names."""
    rooms = {room for row in table for room in row}
    real = {room_of(path, rooms) for path in paths if not path.endswith("__init__.py")}
    lost = [f"{room}/ is in no row of docs/architecture.md: say there what lives in it" for room in real - rooms]
    gone = [f"{room}/ is in docs/architecture.md and holds no file: take it out" for room in rooms - real]
    beside = {path for path in paths if "/" not in path and not path.startswith("__")}
    odd = [f"{name}: a foundation here or in docs/architecture.md only" for name in beside ^ set(named)]
    return sorted([*lost, *gone, *odd])


def upwards(graph: Imports, table: Sequence[Sequence[str]]) -> list[str]:
    """Return imports of what stands above, or beside in the same row."""
    height = {room: level for level, row in enumerate(table) for room in row}
    wrong = []
    for path, targets in sorted(graph.items()):
        own = room_of(path, height)
        for target in sorted(targets):
            other = room_of(target, height)
            if own != other and height.get(other, -1) <= height.get(own, -1):
                wrong.append(
                    f"{path} imports {target}, and {own} may import only what stands below it: move what both need "
                    f"to a room below {own}, or {PurePosixPath(path).name} to a room above {other}"
                )
    return wrong


def circles(graph: Imports) -> list[str]:
    """Return a circle of imports, if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        way = " -> ".join(reversed(error.args[1]))
        return [f"a circle: {way}; move what they share to a file below them all that imports none of them"]
    return []


def crowded(paths: Sequence[str], rooms: Collection[str]) -> list[str]:
    """Return rooms of more files than one can see at a glance."""
    held: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if not path.endswith("__init__.py"):
            held[room_of(path, rooms)].append(PurePosixPath(path).name)
    return [
        f"{room} holds {len(names)} files, {MAX_FILES} at most: give those that belong together a room of their own "
        f"in {room}/ ({', '.join(names)})"
        for room, names in sorted(held.items())
        if len(names) > MAX_FILES and room not in CATALOGUES
    ]


def twice_named(paths: Sequence[str], rooms: Collection[str]) -> list[str]:
    """Return file names that stand for several things."""
    places: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        if not path.endswith("__init__.py"):
            places[PurePosixPath(path).name].add(room_of(path, rooms))
    wrong = []
    for name, several in sorted(places.items()):
        tops = [room.partition("/")[0] for room in several]
        where = ", ".join(sorted(several))
        if len(set(tops)) < len(tops):
            wrong.append(f"{name} stands twice in one top room ({where}): name each after what it holds")
        elif len(several - {"cli"}) > 1 and not several - {"cli"} <= SAME_THING.get(name, frozenset()):
            wrong.append(
                f"{name} stands in several rooms ({where}): name each after what it holds or, where they are about the "
                "same thing, write them in SAME_THING of tests/architecture.py"
            )
    return wrong


def from_elsewhere(room: str) -> list[str]:
    """Return what a room imports that a machine with nothing but Python does not have."""
    wrong = []
    for path in files():
        if path.startswith(f"{room}/"):
            for name in sorted({name for node in ast.walk(_tree(path)) for name in _imported(node)}):
                own = name == "filae_ops" or name.startswith(f"filae_ops.{room}.")
                if not own and name.partition(".")[0] not in sys.stdlib_module_names:
                    wrong.append(f"{path} imports {name}, which the machine has not: {room}/ is sent there alone")
    return wrong
