"""Every field that an inventory may declare, in the model's order, with the requirements that read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from filae_ops.inventory.model.documents import Document
from filae_ops.inventory.model.inventory import SECTIONS, Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.types.annotations import admits_null, inner, is_model, parts

_APART = {"name"}
_WORDS = {
    bool: "true or false", int: "whole number", float: "number", str: "text", dt.date: "date",
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One field; `machines[].os.version` and `software[].name` stand for one per item."""

    path: str
    kind: Any
    """Its annotation."""
    required: bool
    """Whether the group it is in needs it."""
    meaning: str

    @property
    def name(self) -> str:
        """Return the key as it is written."""
        return self.path.removesuffix("[]").rpartition(".")[2]

    @property
    def model(self) -> type[BaseModel] | None:
        """Return what the field, or each of its items, is a mapping of."""
        item = inner(self.kind) if inner(self.kind) is not None else self.kind
        return next(filter(is_model, parts(item)), None)

    @property
    def many(self) -> bool:
        """Tell whether it is a list."""
        return any(get_origin(part) is tuple for part in parts(self.kind))

    @property
    def nullable(self) -> bool:
        """Tell whether null may be declared: there is none."""
        return admits_null(self.kind)

    @property
    def choices(self) -> tuple[str, ...]:
        """Return the values to choose from, none when it is free."""
        item = inner(self.kind) if self.many else self.kind
        return tuple(str(word) for part in parts(item) if get_origin(part) is Literal for word in get_args(part))

    @property
    def words(self) -> str:
        """Return its type, in words."""
        if self.many:
            return "list" if self.model else f"list of {' · '.join(self.choices) or _word(inner(self.kind))}"
        if any(get_origin(part) is Mapping for part in parts(self.kind)):
            return "mapping"
        if self.model:
            return "document" if self.model is Document else "group"
        return " · ".join(self.choices) or _word(self.kind)

    def children(self) -> Iterator[Node]:
        """Return the fields of a group, or of each item of a list of groups."""
        if self.model:
            prefix = f"{self.path}[]" if self.many else self.path
            yield from _nodes(self.model, prefix)


def sections() -> list[Node]:
    """Return the sections of group_vars/all, in the model's order."""
    return [node for node in _nodes(Inventory, "") if node.path in SECTIONS]


def machine() -> list[Node]:
    """Return what a machine of hosts.yml may declare: its connection, then `machines[]`."""
    found = [node for node in _nodes(Host, "") if node.path not in _APART]
    return [Node("machines[]", node.kind, True, node.meaning) if node.path == "machine" else node for node in found]


def walk(nodes: list[Node]) -> Iterator[Node]:
    """Return each field and all that it holds."""
    for node in nodes:
        yield node
        yield from walk(list(node.children()))


def find(path: str) -> Node | None:
    """Return the field of that path, or None."""
    return _by_path().get(path)


@cache
def _by_path() -> dict[str, Node]:
    return {node.path: node for node in walk([*sections(), *machine()])}


def _nodes(model: type[BaseModel], prefix: str) -> Iterator[Node]:
    for name, field in model.model_fields.items():
        path = f"{prefix}.{field.alias or name}" if prefix else field.alias or name
        yield Node(path, _annotation(field), field.is_required(), field.description or "")


def _annotation(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _word(kind: Any) -> str:
    known = [_WORDS.get(part, "text") for part in parts(kind) if part is not type(None)]
    return "number" if "number" in known else known[0]


def readers(path: str) -> tuple[str, ...]:
    """Return the requirements that judge exactly this field."""
    return _names(_read(None)[0], path, exact=True)


def deciding(path: str) -> tuple[str, ...]:
    """Return the requirements that this field makes apply, or not."""
    return _names(_read(None)[1], path, exact=True)


def asking(path: str, model: str, *, exact: bool = False) -> tuple[str, ...]:
    """Return the requirements that ask a hosting model for a field or what it holds: that judge it, else apply by it.

    What is asked only of who claims something (a qualification, a derogation) is left out. `exact`: those that read
    the group itself, not what it holds.
    """
    judged, applied = _read(model)
    return _names(judged, path, exact) or _names(applied, path, exact)


def _names(read: dict[str, frozenset[str]], path: str, exact: bool) -> tuple[str, ...]:
    within = [] if exact else [name for name, fields in read.items() if any(_within(each, path) for each in fields)]
    return tuple(name for name, fields in read.items() if path in fields or name in within)


@cache
def _read(model: str | None) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return the fields that each requirement judges, and those that make it apply."""
    from filae_ops.register.lookup import requirements

    found = [each for each in requirements().values() if model is None or _may_apply(each, model)]
    judged = {each.id: frozenset(line.field for line in each.declared) for each in found}
    return judged, {each.id: frozenset(line.field for line in each.applies.when) for each in found}


def _may_apply(requirement: Any, model: str) -> bool:
    for line in requirement.applies.when:
        if line.op == "claimed":
            return False
        values = line.value if isinstance(line.value, tuple) else (line.value,)
        if line.field == "hosting.model" and model not in values:
            return False
    return True


def _within(field: str, path: str) -> bool:
    return field.startswith((f"{path}.", f"{path}[]"))
