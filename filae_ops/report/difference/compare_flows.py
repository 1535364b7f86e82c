"""What a change of the flow matrix opens and closes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.report.difference.change import Both, Change, Tree, leaf, same
from filae_ops.report.document.values import MISSING

_SHAPE = ("direction", "from", "to", "proto", "port")
Way = tuple[str, str, str, str]
"""What a rule lets through: direction, peer, protocol, port."""


def flow(before: Any, after: Any, name: str, both: Both) -> Iterator[Change]:
    """Say that a flow is opened, closed or changed; for a change, what that opens and closes."""
    if before is MISSING or after is MISSING:
        code = "flow_opened" if before is MISSING else "flow_closed"
        row = after if before is MISSING else before
        if isinstance(row, Mapping):
            elsewhere = all_ways(both.before if before is MISSING else both.after)
            more = {"ways": sorted(ways(row)), "elsewhere": ways(row) <= elsewhere}
            yield Change(code, name, before, after, "flows", more)
        return
    left, right = ways(before), ways(after)
    keys = [key for key in dict.fromkeys([*before, *after]) if key not in _SHAPE or left == right]
    rest = [
        leaf(before.get(key, MISSING), after.get(key, MISSING), f"{name}.{key}")
        for key in keys
        if not same(before.get(key, MISSING), after.get(key, MISSING))
    ]
    more = {"opened": sorted(right - left), "closed": sorted(left - right), "rest": rest}
    yield Change("flow_changed", name, before, after, "flows", more)


def ways(row: Mapping[str, Any]) -> set[Way]:
    """Return what a flow lets through, one by one; a flow that is badly written lets nothing through."""
    direction, proto = str(row.get("direction", "")), str(row.get("proto", ""))
    peers = _listed(row.get("from" if direction == "in" else "to"))
    return {(direction, peer, proto, port) for peer in peers for port in _listed(row.get("port")) or [""]}


def all_ways(tree: Tree) -> set[Way]:
    """Return what all the flows of an inventory let through."""
    rows = tree.get("flows")
    return {way for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping) for way in ways(row)}


def _listed(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each is not None]
