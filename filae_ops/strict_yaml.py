"""YAML read strictly, with the line and column of every key: what people declare, and where they said it.

Values are those that Ansible reads (YAML 1.1, dates as `datetime.date`). Refused, with file and line:
duplicate keys, anchors, aliases and merges, keys that are not text, foreign tags, several documents, deep
nesting, files that are not UTF-8 or too large.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pydantic import ValidationError
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.resolver import Resolver

from filae_ops.errors import OpsError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
_TAG = "tag:yaml.org,2002:"
_SCALARS = {_TAG + kind for kind in ("str", "int", "float", "bool", "null", "timestamp")}
_VAULT_TAGS = ("!vault", "!vault-encrypted")
_ODD = re.compile("[\t\ufeff\u2028\u2029\x85]")
"""What libyaml takes where PyYAML refuses it, or counts otherwise."""
_BREAKS = re.compile("[\u2028\u2029\x85]")
_Problem = yaml.MarkedYAMLError
_FIX = "correct this line, then run the same command again"

Loc = Sequence[int | str]


@dataclass(frozen=True)
class Vault:
    """A value encrypted by ansible-vault (`!vault`): known to exist, not read."""

    text: str

    def __repr__(self) -> str:
        return "Vault(...)"


class Locate:
    """Map a pydantic `loc` to the line and column (from 1) of the deepest key or item that the file has."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._marks: dict[tuple[int | str, ...], tuple[int, int]] = {(): (1, 1)}

    def add(self, loc: tuple[int | str, ...], node: Node) -> None:
        """Remember where a key or an item stands."""
        self._marks[loc] = (node.start_mark.line + 1, node.start_mark.column + 1)

    def path(self, loc: Loc) -> tuple[int | str, ...]:
        """Return the part of `loc` that the file has: pydantic adds union members and missing keys."""
        known: tuple[int | str, ...] = ()
        for part in loc:
            if (*known, part) in self._marks:
                known = (*known, part)
        return known

    def __call__(self, loc: Loc) -> tuple[int, int]:
        """Return the line and column of `loc`, or of its nearest parent."""
        return self._marks[self.path(loc)]

    def where(self, loc: Loc) -> str:
        """Return `file:line:column` of `loc`."""
        line, column = self(loc)
        return f"{self.name}:{line}:{column}"


class _Guard:
    """Stops at anchors, aliases and deep nesting while composing."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event: Any = self.peek_event()  # type: ignore[attr-defined]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _Problem(problem="anchors and aliases are refused", problem_mark=event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            problem = f"nested more than {MAX_DEPTH} levels deep"
            raise _Problem(problem=problem, problem_mark=event.start_mark)
        node: Node | None = super().compose_node(parent, index)  # type: ignore[misc]
        self.depth -= 1
        return node


class _Loader(_Guard, yaml.SafeLoader):
    """PyYAML's own reader, whose messages people read."""


@cache
def _loaders() -> tuple[Any, ...]:
    """Return the loaders to try: libyaml's, four times faster, where PyYAML has it; then the one that says why."""
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]
    except ImportError:
        return (_Loader,)

    class Fast(_Guard, Composer, CParser, SafeConstructor, Resolver):
        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

    return Fast, _Loader


def load(source: Path | str, *, name: str = "text", allow_vault: bool = False) -> tuple[Any, Locate]:
    """Read a file (Path) or a text (str, called `name` in messages); an empty one gives None."""
    locate = Locate(str(source) if isinstance(source, Path) else name)
    text = _read(source) if isinstance(source, Path) else source
    if match := _BREAKS.search(text):
        line = text.count("\n", 0, match.start()) + 1
        _refuse(f"{locate.name}:{line}:1: a line break that programs read otherwise: U+{ord(match[0]):04X}")
    *fast, exact = _loaders()
    for kind in fast if not _ODD.search(text) else ():
        try:
            return _build(kind(text), locate, allow_vault), locate
        except (yaml.YAMLError, ValueError):
            locate = Locate(locate.name)  # read again, for the words
    try:
        return _build(exact(text), locate, allow_vault), locate
    except yaml.reader.ReaderError as exc:
        line = text.count("\n", 0, exc.position) + 1
        _refuse(f"{locate.name}:{line}:1: control character U+{int(exc.character):04X}")
    except yaml.MarkedYAMLError as exc:
        _refuse(_marked(exc, locate.name))


def _build(loader: Any, locate: Locate, allow_vault: bool) -> Any:
    node = loader.get_single_node()
    return None if node is None else _Builder(loader, locate, allow_vault).build(node, ())


def describe(error: ValidationError, locate: Locate, *, show_values: bool = True) -> list[str]:
    """Return one line per problem of a pydantic error: `file:line:column: key: what is wrong (value)`.

    Say `show_values=False` for a file of secrets.
    """
    lines = []
    for problem in error.errors(include_url=False):
        loc = problem["loc"]
        label = ".".join(str(part) for part in _label(loc, locate, problem["type"]))
        text = _MESSAGES.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        value, shown = problem["input"], ""
        if problem["type"] == "string_type" and isinstance(value, int | float | date):
            text = "must be text: put quotes around it"
        if show_values and problem["type"] not in _MESSAGES and isinstance(value, str | int | float):
            shown = f" (got {value!r:.100})"
        lines.append(f"{locate.where(loc)}: {label or 'file'}: {text}{shown}")
    return lines


_MESSAGES = {"missing": "missing key", "extra_forbidden": "unknown key"}


def _label(loc: Loc, locate: Locate, kind: str) -> Loc:
    return loc if kind == "missing" else locate.path(loc)


class _Builder:
    """Turn nodes into values, and remember where each key and item stands."""

    def __init__(self, loader: Any, locate: Locate, allow_vault: bool) -> None:
        self.loader, self.locate, self.allow_vault = loader, locate, allow_vault

    def build(self, node: Node, loc: tuple[int | str, ...]) -> Any:
        """Return the value of a node."""
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return {key: self.build(value, (*loc, key)) for key, value in self._pairs(node, loc)}
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            for index, item in enumerate(node.value):
                self.locate.add((*loc, index), item)
            return [self.build(item, (*loc, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and node.tag in _SCALARS:
            return self._scalar(node)
        if isinstance(node, ScalarNode) and self.allow_vault and node.tag in _VAULT_TAGS:
            return Vault(node.value)
        return self._stop(node, f"{str(node.tag).removeprefix(_TAG)!r} is a tag or a value that is not read here")

    def _pairs(self, node: MappingNode, loc: tuple[int | str, ...]) -> list[tuple[str, Node]]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == _TAG + "merge":
                self._stop(key, "merge keys (<<) are refused: write the values out")
            if key.tag != _TAG + "str" or not isinstance(key, ScalarNode):
                self._stop(key, f"the key {str(key.value)[:60]!r} is not read as text: put quotes around it")
            if key.value in seen:
                self._stop(key, f"duplicate key {key.value!r}, already on line {seen[key.value]}")
            seen[self._scalar(key)] = key.start_mark.line + 1
            self.locate.add((*loc, key.value), key)
        return [(key.value, value) for key, value in node.value]

    def _scalar(self, node: ScalarNode) -> Any:
        try:
            value = self.loader.construct_object(node)
            str(value).encode()
        except (ValueError, OverflowError, LookupError, AttributeError, TypeError):
            kind = str(node.tag).removeprefix(_TAG).replace("timestamp", "date")
            self._stop(node, f"{node.value[:60]!r} is not a {kind} that exists")
        return value

    def _stop(self, node: Node, problem: str) -> NoReturn:
        raise _Problem(problem=problem, problem_mark=node.start_mark)


def _read(path: Path) -> str:
    if not path.is_file():
        problem = "not a regular file" if path.exists() else "no such file"
        _refuse(f"{path}: {problem}", "give the path of the file")
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        _refuse(f"{path}: cannot be read: {exc.strerror}", "give yourself the right to read it")
    if len(data) > MAX_BYTES:
        _refuse(f"{path}:1:1: larger than {MAX_BYTES} bytes", "give the right file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        _refuse(f"{path}:{line}:1: not UTF-8 (byte 0x{data[exc.start]:02x})", "save the file as UTF-8")


def _marked(exc: yaml.MarkedYAMLError, name: str) -> str:
    mark = exc.problem_mark or exc.context_mark
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = exc.problem or exc.context or "not YAML"
    if "'\\t'" in problem:
        problem = "a tab where YAML wants spaces"
    if "expected a single document" in f"{exc.context} {problem}":
        problem = "a second document (---): one file holds one document"
    return f"{where}: {problem}"


def _refuse(message: str, next_step: str = _FIX) -> NoReturn:
    raise OpsError(message, owner="provider", next_step=next_step)
