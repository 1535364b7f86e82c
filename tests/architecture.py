"""The rooms of the package and its imports, as the code has them and as docs/architecture.md says.

Paths are relative to `filae_ops/`: the room of `agent/steps/dump.py` is `agent/steps`, and the files that lie beside
the rooms are one room, the foundations. What checks returns a line for each thing that is wrong, with where it belongs.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "filae_ops"
PAGE = ROOT / "docs/architecture.md"
FOUNDATIONS = "the foundations"
MAX_FILES = 12
CATALOGUES = ("cli", "facts", "agent/commands", "agent/steps", "inventory/model")
"""Rooms that hold as many files as there are commands, parts, steps or themes."""
ELSEWHERE = ("tests", "playbooks", "roles", "benchmarks")
"""Other folders of the repository that import the package."""
PLUGINS = "playbook/callbacks"
"""A folder of the room above it: Ansible is told of a folder, and loads what is in it."""
SENT_ALONE = ("agent", "facts")
"""Rooms that run on a machine which has nothing but Python."""
LOADERS = ("inventory/reading/ansible_pool_server.py",)
"""Files that load what only a running program names; of the package nothing."""
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
_DOTTED = re.compile(r"filae_ops(?:\.[a-z_][a-z_0-9]*)+")


def files() -> list[str]:
    """Return the package's files of Python, sorted."""
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imports() -> dict[str, set[str]]:
    """Return what each file imports of the package: inside of functions, for types, and as a program to run too."""
    known = {_module(path): path for path in files()}
    graph: dict[str, set[str]] = {}
    for path in files():
        tree = _tree(PACKAGE / path)
        targets = {_file(name, known) for node in ast.walk(tree) for name in [*_imported(node), *_named(node)]}
        graph[path] = {target for target in targets if target and target != path}
    return graph


def astray() -> list[str]:
    """Return imports of the package, anywhere in the repository, that lead nowhere or that cannot be followed."""
    known = {_module(path): path for path in files()}
    places = [path for folder in (PACKAGE, *map(ROOT.joinpath, ELSEWHERE)) for path in sorted(folder.rglob("*.py"))]
    wrong = []
    for path in places:
        where = path.relative_to(ROOT).as_posix()
        inside = where.removeprefix("filae_ops/") if path.is_relative_to(PACKAGE) else ""
        for node in ast.walk(_tree(path)):
            line = f"{where}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ImportFrom) and node.level:
                wrong.append(f"{line}: a relative import; write the whole name, as everywhere")
            for name in _imported(node):
                if name == "filae_ops":
                    wrong.append(f"{line}: `import filae_ops` hides what is used; import the file, or a name of it")
                elif name.startswith("filae_ops.") and not _leads(name, known):
                    wrong.append(f"{line}: imports {name}, which is nowhere")
                elif inside and isinstance(node, ast.ImportFrom) and _file(name, known) == inside:
                    wrong.append(f"{line}: imports itself")
            if inside and inside not in LOADERS and _loads(node):
                wrong.append(f"{line}: loads a module by its name, which no test can follow: import it")
    return wrong


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _module(path: str) -> str:
    return ".".join(("filae_ops", *PurePosixPath(path).with_suffix("").parts)).removesuffix(".__init__")


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield the whole names that an import names: `from a.b import c` gives a.b.c."""
    if isinstance(node, ast.Import):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level:
        yield from (f"{node.module}.{each.name}" for each in node.names)


def _named(node: ast.AST) -> Iterator[str]:
    """Yield the modules that a text names, such as a program to run (`python -m`) or to send; prose has spaces."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
        yield node.value


def _file(name: str, known: Mapping[str, str]) -> str | None:
    """Return the file of a module, or of the module that holds this name."""
    return known.get(name) or known.get(name.rpartition(".")[0])


def _leads(name: str, known: Mapping[str, str]) -> bool:
    """Tell whether a whole name is a module, or is given a value somewhere in one."""
    if name in known:
        return True
    module, _, own = name.rpartition(".")
    if module not in known:
        return False
    tree = _tree(PACKAGE / known[module])
    made = {
        each.asname or each.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names
    }
    made |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return own in made


def _loads(node: ast.AST) -> bool:
    """Tell whether this is a call that loads a module by its name."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("import_module", "__import__", "run_module", "run_path")


def floors(page: str) -> list[list[str]]:
    """Return the table of rooms, from the top down: the rooms of each row."""
    section = page.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    rows = [re.findall(r"`([\w./]+)`", line.split("|")[1]) for line in section.splitlines() if line.startswith("| `")]
    return [[name.rstrip("/") for name in row if name.endswith("/")] or [FOUNDATIONS] for row in rows]


def room_of(path: str) -> str:
    """Return the room of a file: its folder."""
    folder = str(PurePosixPath(path).parent)
    if folder == ".":
        return "cli" if path == "__main__.py" else FOUNDATIONS
    return str(PurePosixPath(folder).parent) if folder == PLUGINS else folder


def unlisted(paths: Sequence[str], table: Sequence[Sequence[str]], named: Collection[str]) -> list[str]:
    """Return rooms that the table lacks, has in vain or has twice; `named`: the foundations that it names."""
    rooms = Counter(room for row in table for room in row)
    real = {room_of(path) for path in paths if not path.endswith("__init__.py")}
    lost = [f"{room}/ is in no row of docs/architecture.md: say there what lives in it" for room in real - {*rooms}]
    gone = [f"{room}/ is in docs/architecture.md and holds no file: take it out" for room in {*rooms} - real]
    twice = [f"{room}/ has {times} rows in docs/architecture.md" for room, times in rooms.items() if times > 1]
    beside = {path for path in paths if "/" not in path and not path.startswith("__")}
    odd = [f"{name}: a foundation here or in docs/architecture.md only" for name in beside ^ {*named}]
    return sorted([*lost, *gone, *twice, *odd])


def unmarked(paths: Sequence[str]) -> list[str]:
    """Return folders that are no package: a zip file, as which the agent is sent, gives them to nobody."""
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents if str(parent) != "."}
    return [f"{folder}/ has no __init__.py: add one that says what lives there" for folder in sorted(folders)
            if f"{folder}/__init__.py" not in paths]  # fmt: skip


def with_code() -> list[str]:
    """Return `__init__.py` files that do something: each import of a file of their room would run it."""
    return [
        f"{path} holds more than a docstring: move it to a file of its own"
        for path in files()
        if path.endswith("/__init__.py") and path != "cli/__init__.py" and len(_tree(PACKAGE / path).body) > 1
    ]


def upwards(graph: Imports, table: Sequence[Sequence[str]]) -> list[str]:
    """Return imports of what stands above, or beside in the same row."""
    height = {room: level for level, row in enumerate(table) for room in row}
    wrong = []
    for path, targets in sorted(graph.items()):
        own = room_of(path)
        for target in sorted(targets):
            other = room_of(target)
            if own != other and height.get(other, -1) <= height.get(own, len(table)):
                name = PurePosixPath(path).name
                way = f", or {name} to a room above {other}" if own != FOUNDATIONS and name != "__init__.py" else ""
                below = "the foundations" if own == FOUNDATIONS else f"a room below {own}"
                wrong.append(
                    f"{path} imports {target}, and {own} may import only what stands below it: "
                    f"move what both need to {below}{way}"
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


def crowded(paths: Sequence[str]) -> list[str]:
    """Return rooms of more files than one can see at a glance."""
    held: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if not path.endswith("__init__.py"):
            held[room_of(path)].append(PurePosixPath(path).name)
    return [
        f"{room} holds {len(names)} files, {MAX_FILES} at most: give those that belong together a room of their own "
        f"in {room}/ ({', '.join(names)})"
        for room, names in sorted(held.items())
        if len(names) > MAX_FILES and room not in CATALOGUES
    ]


def twice_named(paths: Sequence[str]) -> list[str]:
    """Return file names that stand for several things."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        if not path.endswith("__init__.py"):
            places[PurePosixPath(path).name.casefold()].append(path)
    wrong = []
    for name, same in sorted(places.items()):
        tops = {path.partition("/")[0] if "/" in path else FOUNDATIONS for path in same}
        rooms = {room_of(path) for path in same} - {"cli"}
        where = ", ".join(sorted(same))
        if len(tops) < len(same):
            wrong.append(f"{name} stands twice in one top room ({where}): name each after what it holds")
        elif len(rooms) > 1 and not rooms <= SAME_THING.get(name, frozenset()):
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
            for name in sorted({name for node in ast.walk(_tree(PACKAGE / path)) for name in _imported(node)}):
                own = name == "filae_ops.__version__" or name.startswith(f"filae_ops.{room}.")
                if not own and name.partition(".")[0] not in sys.stdlib_module_names:
                    wrong.append(f"{path} imports {name}, which the machine has not: {room}/ is sent there alone")
    return wrong
