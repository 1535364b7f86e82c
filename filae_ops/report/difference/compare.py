"""What differs between two declared trees: never nothing when they differ, one change for each thing said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from filae_ops.inventory.model.additions import KINDS
from filae_ops.report.difference.change import (
    GROUPS,
    Both,
    Change,
    Tree,
    generic,
    group_of,
    is_document,
    item,
    leaf,
    same,
)
from filae_ops.report.difference.compare_access import networks, person
from filae_ops.report.difference.compare_flows import flow
from filae_ops.report.document.values import MISSING

Special = Callable[[Any, Any, str, Both], Iterator[Change]]
_NAMED: Mapping[str, tuple[str, ...]] = {
    "flows": ("id",), "access.operators": ("name",), "access.dsi": ("name",), "machines": ("name",),
    "app.signers": ("name",), "software": ("name",), "hosting.subhosts": ("name",), "machines[].additions": KINDS,
}  # fmt: skip
"""Lists whose items have a name, in one of these keys: they are compared item by item."""
_SPECIAL: Mapping[str, Special] = {
    "flows[]": flow, "access.operators[]": person, "access.dsi[]": person,
    "access.administration_networks": networks,
}  # fmt: skip
"""Places that have sentences of their own; where these say nothing, the values are said."""


def changes(before: Tree, after: Tree) -> list[Change]:
    """Return every difference between two trees, by group; empty if and only if they are the same JSON."""
    found = list(_walk(before, after, "", Both(before, after)))
    return sorted(found, key=lambda change: GROUPS.index(change.group))


def _walk(before: Any, after: Any, name: str, both: Both) -> Iterator[Change]:
    """Compare two values that stand at `name`; what no sentence is made for is said as a value."""
    if same(before, after):
        return
    special = _SPECIAL.get(generic(name))
    said = list(special(before, after, name, both)) if special else []
    if said:
        yield from said
    elif name.endswith("]") and MISSING in (before, after):
        yield leaf(before, after, name)
    elif _mappings(before, after):
        left, right = (value if isinstance(value, Mapping) else {} for value in (before, after))
        for key in dict.fromkeys([*left, *right]):
            inner = f"{name}.{key}" if name else str(key)
            yield from _walk(left.get(key, MISSING), right.get(key, MISSING), inner, both)
    elif (keyed := _by_name(before, after, name)) is not None:
        yield from _items(*keyed, name, both)
    else:
        yield leaf(before, after, name)


def _mappings(before: Any, after: Any) -> bool:
    """Tell whether to go inside: a document, an empty whole and a null are said as they are."""
    kinds = [value for value in (before, after) if value is not MISSING]
    if not all(isinstance(value, Mapping) for value in kinds) or any(is_document(value) for value in kinds):
        return False
    return len(kinds) == 2 or bool(kinds[0])


def _by_name(before: Any, after: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    keys = _NAMED.get(generic(name))
    sides = []
    for value in (before, after):
        rows = [] if value is MISSING else value
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows) or not keys:
            return None
        named = {row[key]: row for row in rows for key in keys if isinstance(row.get(key), str)}
        if len(named) != len(rows):
            return None
        sides.append(named)
    return (sides[0], sides[1]) if any(sides) and before != [] and after != [] else None


def _items(before: dict[str, Any], after: dict[str, Any], name: str, both: Both) -> Iterator[Change]:
    for key in dict.fromkeys([*before, *after]):
        yield from _walk(before.get(key, MISSING), after.get(key, MISSING), item(name, key), both)
    if [key for key in before if key in after] != [key for key in after if key in before]:
        yield Change("order", name, list(before), list(after), group_of(name))
