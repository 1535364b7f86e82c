"""Who may enter since, who may no longer, and until when."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.inventory.types.fields import IPNetwork
from filae_ops.report.difference.change import Both, Change, leaf, same
from filae_ops.report.difference.compare_flows import all_ways
from filae_ops.report.document.values import MISSING
from filae_ops.writers.public_keys import parse_public_key


def networks(before: Any, after: Any, name: str, both: Both) -> Iterator[Change]:
    """Say what each network of administration opens or closes; an order is no network."""
    left, right = ([] if value is MISSING else value for value in (before, after))
    if not all(isinstance(value, list) and all(isinstance(each, str) for each in value) for value in (left, right)):
        return
    for code, rows, other, tree in (
        ("network_added", right, left, both.after), ("network_removed", left, right, both.before),
    ):  # fmt: skip
        for network in rows:
            if network not in other:
                way = sorted(each for each in all_ways(tree) if each[1] == "administration")
                more = {"network": network, "ways": way, "covered": _covering(network, other)}
                yield Change(code, name, before, after, "flows", more)


def _covering(network: Any, others: list[Any]) -> str:
    """Return the network of the other inventory that already includes this one, or nothing."""
    try:
        mine = ipaddress.ip_network(network)
        return next((str(each) for each in others if _includes(ipaddress.ip_network(each), mine)), "")
    except ValueError:
        return ""


def _includes(outer: IPNetwork, inner: IPNetwork) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def person(before: Any, after: Any, name: str, both: Both) -> Iterator[Change]:
    """Say that someone enters, leaves, or has another key or another last day."""
    if before is MISSING or after is MISSING:
        row = after if before is MISSING else before
        code = "person_added" if before is MISSING else "person_removed"
        if code == "person_added" and row.get("state") == "absent":
            code = "person_absent"
        yield Change(code, name, before, after, "access", {"keys": list(_keys(row).items())})
        return
    state, now = (row.get("state", "present") for row in (before, after))
    if state != now:
        yield Change("person_back" if now == "present" else "person_revoked", name, before, after, "access")
    yield from _key_changes(_keys(before), _keys(after), before, after, name)
    yield from _what_is_left(before, after, name, both)


def _key_changes(
    left: Mapping[str, str], right: Mapping[str, str], before: Any, after: Any, name: str
) -> Iterator[Change]:
    gone, new = ([mark for mark in one if mark not in other] for one, other in ((left, right), (right, left)))
    for old, mark in zip(gone, new, strict=False):
        more = {"old": old, "key": mark, "until": right[mark], "was": left[old]}
        yield Change("key_replaced", f"{name}.keys", before, after, "access", more)
    common = min(len(gone), len(new))
    for code, marks, side in (("key_removed", gone, left), ("key_added", new, right)):
        for mark in marks[common:]:
            more = {"key": mark, "until": side[mark]}
            yield Change(code, f"{name}.keys", before, after, "access", more)
    for mark in (each for each in left if each in right and left[each] != right[each]):
        code = "key_later" if left[mark] < right[mark] else "key_earlier"
        more = {"key": mark, "was": left[mark], "until": right[mark]}
        yield Change(code, f"{name}.keys", before, after, "access", more)


def _what_is_left(before: Any, after: Any, name: str, both: Both) -> Iterator[Change]:
    """Say what the sentences above do not: a comment of a key, an order, another field."""
    for key in dict.fromkeys([*before, *after]):
        left, right = before.get(key, MISSING), after.get(key, MISSING)
        if same(left, right) or (key == "state" and MISSING not in (left, right)):
            continue
        if key == "keys" and _keys(before) != _keys(after):
            continue
        if key == "state" and before.get("state", "present") != after.get("state", "present"):
            continue
        yield leaf(left, right, f"{name}.{key}")


def _keys(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the last day of each key by its fingerprint."""
    rows = row.get("keys")
    keyed = [each for each in rows if isinstance(each, Mapping)] if isinstance(rows, list) else []
    return {mark(str(each.get("key"))): str(each.get("until", "")) for each in keyed}


def mark(text: str) -> str:
    """Return the fingerprint of a key, or the start of what is none."""
    try:
        return parse_public_key(text).fingerprint
    except ValueError:
        return text[:60]
