"""The register of requirements and the calendars of support, read once and checked whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from filae_ops import yamlnodes
from filae_ops.errors import OpsError
from filae_ops.register.model import DataSource, Entry, Lifecycle, Requirement

HERE = Path(__file__).resolve().parent
_FIX = "correct the register, then run its tests"
E = TypeVar("E", bound=Entry)


@cache
def requirements() -> Mapping[str, Requirement]:
    """Return every requirement by id, in the order of the file."""
    return read_requirements(HERE / "requirements.yml")


@cache
def lifecycles() -> Mapping[tuple[str, str], Lifecycle]:
    """Return every calendar by product and version."""
    return read_lifecycles(HERE / "lifecycles.yml")


def requirement(name: str) -> Requirement:
    """Return one requirement; an unknown id is refused."""
    try:
        return requirements()[name]
    except KeyError:
        raise OpsError(
            f"no requirement {name!r} in the register", next_step="name one of the register"
        ) from None


def lifecycle(product: str, version: str) -> Lifecycle | None:
    """Return the calendar of `version`, or of the version it belongs to: 17 for 17.6, 3.3 for 3.3.8."""
    parts = version.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((found for name in names if (found := lifecycles().get((product, name)))), None)


def read_requirements(path: Path) -> Mapping[str, Requirement]:
    """Read a register; unknown keys, duplicate ids and missing sources are refused."""
    content, locate = _content(path, {"requirements"})
    entries = _entries(Requirement, content["requirements"], locate, "requirements")
    return _unique(entries, [entry.id for entry in entries], locate, "requirements")


def read_lifecycles(path: Path) -> Mapping[tuple[str, str], Lifecycle]:
    """Read calendars; a row names sources of the same file."""
    content, locate = _content(path, {"lifecycles", "sources"})
    if not isinstance(content["sources"], dict) or not content["sources"]:
        _refuse(f"{locate.where(('sources',))}: at least one source is wanted")
    for name, source in content["sources"].items():
        _entry(DataSource, source, locate, ("sources", name))
    rows = _entries(Lifecycle, content["lifecycles"], locate, "lifecycles")
    for index, row in enumerate(rows):
        if unknown := set(row.sources) - set(content["sources"]):
            _refuse(
                f"{locate.where(('lifecycles', index, 'sources'))}: unknown source {sorted(unknown)[0]!r}"
            )
    return _unique(rows, [(row.product, row.version) for row in rows], locate, "lifecycles")


def _content(path: Path, keys: set[str]) -> tuple[dict[str, Any], yamlnodes.Locate]:
    content, locate = yamlnodes.load(path)
    if not isinstance(content, dict) or set(content) != keys:
        _refuse(f"{locate.where(())}: the keys {sorted(keys)} are wanted, and no other")
    return content, locate


def _entries(kind: type[E], rows: Any, locate: yamlnodes.Locate, key: str) -> list[E]:
    if not isinstance(rows, list) or not rows:
        _refuse(f"{locate.where((key,))}: a list is wanted")
    return [_entry(kind, row, locate, (key, index)) for index, row in enumerate(rows)]


def _entry(kind: type[E], value: Any, locate: yamlnodes.Locate, loc: tuple[str | int, ...]) -> E:
    try:
        return kind.model_validate_json(json.dumps(value, default=str))
    except ValidationError as exc:
        detail = exc.errors(include_url=False)[0]
        place = (*loc, *detail["loc"])
        label = ".".join(map(str, detail["loc"])) or "entry"
        _refuse(f"{locate.where(place)}: {label}: {detail['msg']}")


def _unique(entries: list[E], keys: list[Any], locate: yamlnodes.Locate, name: str) -> Mapping[Any, E]:
    for index, key in enumerate(keys):
        if key in keys[:index]:
            _refuse(
                f"{locate.where((name, index))}: {key!r} is already line {locate((name, keys.index(key)))[0]}"
            )
    return MappingProxyType(dict(zip(keys, entries, strict=True)))


def _refuse(message: str) -> NoReturn:
    raise OpsError(message, next_step=_FIX)
