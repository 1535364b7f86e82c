"""Read the register's files: fast when they are right; when they are wrong, refused with file and line.

The C parser is about ten times faster than the strict one of `strict_yaml`, and does not say where a value
stands. So a file is read fast, and read again strictly only to say what is wrong with it, and where.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode

from filae_ops import strict_yaml
from filae_ops.errors import OpsError
from filae_ops.register.model import Entry, Source

E = TypeVar("E", bound=Entry)
Loc = tuple[str | int, ...]
Rows = list[dict[str, Any]]
_FIX = "correct the register, then run its tests"
_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"


class Wrong(Exception):  # noqa: N818  # it is a place
    """What is wrong, and where in the file."""

    def __init__(self, loc: Loc, message: str) -> None:
        super().__init__(message)
        self.loc = loc


def refuse(path: Path, wrong: Wrong) -> NoReturn:
    """Refuse a file, at the line of what is wrong."""
    _, locate = strict_yaml.load(path)
    raise OpsError(f"{locate.where(wrong.loc)}: {wrong}", next_step=_FIX) from None


def rows_of(path: Path, key: str) -> Rows:
    """Return the mappings of a file that holds one list, under `key`."""
    content = _fast(path)
    if not isinstance(content, dict) or list(content) != [key]:
        refuse(path, Wrong((), f"the key {key!r} is wanted, and no other"))
    rows = content[key]
    if not isinstance(rows, list) or not rows:
        refuse(path, Wrong((key,), "a list is wanted, with one entry at least"))
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            refuse(path, Wrong((key, index), "an entry is a mapping"))
    return rows


def entries(path: Path, key: str, kind: type[E], rows: Rows) -> tuple[E, ...]:
    """Return typed entries; the first that is not what its type says is refused."""
    adapter: TypeAdapter[tuple[E, ...]] = TypeAdapter(tuple[kind, ...])  # type: ignore[valid-type]
    try:
        return adapter.validate_json(json.dumps(rows, default=str))
    except ValidationError as exc:
        detail = exc.errors(include_url=False)[0]
        label = ".".join(map(str, detail["loc"][1:])) or "entry"
        refuse(path, Wrong((key, *detail["loc"]), f"{label}: {detail['msg']}"))


def unique(path: Path, key: str, names: Sequence[Hashable]) -> None:
    """Refuse the second entry of a name."""
    if len(set(names)) == len(names):
        return
    index = next(index for index, name in enumerate(names) if name in names[:index])
    _, locate = strict_yaml.load(path)
    first = locate((key, names.index(names[index])))[0]
    refuse(path, Wrong((key, index), f"{names[index]!r} is already line {first}"))


def known(path: Path, loc: Loc, name: object, names: Iterable[object], what: str) -> None:
    """Refuse a reference to something that the register does not have."""
    if name not in names:
        refuse(path, Wrong(loc, f"unknown {what} {name!r}"))


def with_sources(path: Path, loc: Loc, value: Any, sources: Mapping[str, Source]) -> None:
    """Put sources themselves in the place of their ids, at any depth."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            with_sources(path, (*loc, index), item, sources)
        return
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key == "source":
            value[key] = _source(path, (*loc, key), inner, sources)
        elif key == "sources" and isinstance(inner, list):
            value[key] = [_source(path, (*loc, key, index), name, sources) for index, name in enumerate(inner)]
        else:
            with_sources(path, (*loc, key), inner, sources)


def _source(path: Path, loc: Loc, name: object, sources: Mapping[str, Source]) -> dict[str, Any]:
    known(path, loc, name, sources, "source")
    return sources[str(name)].model_dump()


def _fast(path: Path) -> Any:
    """Return what the file says; whatever is wrong is left for the strict reader to refuse."""
    try:
        loader = _FAST(path.read_bytes())
        try:
            return _value(loader, loader.get_single_node())
        finally:
            loader.dispose()
    except (OSError, ValueError, TypeError, yaml.YAMLError):
        return strict_yaml.load(path)[0]


def _value(loader: Any, node: Node) -> Any:
    if isinstance(node, ScalarNode):
        return node.value if node.tag == _TEXT else loader.construct_object(node)
    if not isinstance(node, MappingNode):
        return [_value(loader, item) for item in node.value]
    found = {key.value: _value(loader, value) for key, value in node.value}
    if len(found) != len(node.value):
        raise yaml.YAMLError("a key is there twice")
    return found
