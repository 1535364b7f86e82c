"""What the host checks can say, read from their source: each code with its values, and by which check."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filae_ops.paths import PACKAGE, data_path
from filae_ops.report.document.check_words import SHARED

SAYING = ("broken", "not_run", "no_object")


@dataclass(frozen=True)
class Said:
    """One place where a check says a code."""

    check: str
    how: str
    code: str
    values: frozenset[str]
    place: str


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text())
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def calls(function: ast.FunctionDef) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            yield name, node


def reached(start: str, known: dict[str, ast.FunctionDef]) -> list[ast.FunctionDef]:
    """Return a function, and those of its file that it calls, by whatever way."""
    names, pending = {start}, [start]
    while pending:
        inner = {name for name, _ in calls(known[pending.pop()])} & set(known) - names
        names |= inner
        pending += inner
    return [known[name] for name in sorted(names)]


def said_in(function: ast.FunctionDef, check: str, path: Path) -> Iterator[Said]:
    for name, call in calls(function):
        if name not in SAYING or function.name in SAYING:
            continue
        place = f"{path.name}:{call.lineno}"
        assert len(call.args) == 1, f"{place}: a code, then named values"
        assert isinstance(call.args[0], ast.Constant), f"{place}: the code is written out"
        assert all(word.arg for word in call.keywords), f"{place}: each value is named"
        values = frozenset(str(word.arg) for word in call.keywords)
        yield Said(check, name, str(call.args[0].value), values, place)


@cache
def everything_said() -> list[Said]:
    found: list[Said] = []
    for path in sorted(data_path("tests", "host").glob("test_*.py")):
        known = functions(path)
        for name, function in known.items():
            if name.startswith("test_"):
                check = name_of(function)
                found += [each for inner in reached(name, known) for each in said_in(inner, check, path)]
    frame = PACKAGE / "verification/check.py"
    return found + [each for function in functions(frame).values() for each in said_in(function, SHARED, frame)]


def name_of(function: ast.FunctionDef) -> str:
    """Return the id of a check, from its mark."""
    (mark,) = function.decorator_list
    assert isinstance(mark, ast.Call)
    return str(ast.literal_eval(mark.args[0]))


def documented_checks() -> dict[str, str]:
    """Return what holds when each check passes, as its documentation has it."""
    return {
        name_of(function): (ast.get_docstring(function) or "").splitlines()[0]
        for path in data_path("tests", "host").glob("test_*.py")
        for name, function in functions(path).items()
        if name.startswith("test_")
    }
