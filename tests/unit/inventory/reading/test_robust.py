"""Whatever is written, the answer is an inventory or an OpsError, never a traceback."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from material.inventories import DEMO

from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import build
from filae_ops.inventory.reading.problems import InventoryError, Problem
from filae_ops.inventory.reading.yaml_files import read

ODD = [None, "é{x}\ny", True, -1, float("nan"), [None], {"a": 1}]
Values = dict[str, Any]


def places(value: Any, loc: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return every place; of a list, its first item stands for all."""
    if loc:
        yield loc
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key != 0 and isinstance(value, list):
            return
        yield from places(inner, (*loc, key))


def changed(values: Values, loc: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Values:
    """Return a copy where the container of `loc` was changed."""
    copied = copy.deepcopy(values)
    parent = copied
    for part in loc[:-1]:
        parent = parent[part]
    change(parent, loc[-1])
    return {HOST: copied}


def answer(values: Values) -> str:
    """Return the refusal, or nothing."""
    try:
        assert isinstance(build(SOURCE, values), Inventory)
    except OpsError as exc:
        return str(exc)
    return ""


SOURCE = read(DEMO)
HOST, VALUES = next(iter(SOURCE.hostvars().items()))


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_an_odd_value_anywhere(odd):
    for loc in places(VALUES):
        said = answer(changed(VALUES, loc, lambda parent, key: parent.__setitem__(key, odd)))
        assert not said or (str(loc[0]) in said and len(said) < 4000), (loc, said)


def test_a_key_missing_anywhere():
    for loc in places(VALUES):
        said = answer(changed(VALUES, loc, lambda parent, key: parent.__delitem__(key)))
        assert not said or "next: " in said, (loc, said)


def test_many_problems_say_who_acts_for_each():
    found = [Problem(f"a.yml:{n}:1", "key", "bad", "dsi", "ask") for n in range(20)]
    error = InventoryError([*found, Problem("hosts.yml:3:1", "", "bad"), Problem("hosts.yml:4:1", "", "bad")])
    assert (error.owner, "... and 2 more: 2 in hosts.yml" in str(error)) == ("shared", True)
    assert "each line" in error.next_step
    same = InventoryError(found)
    assert (same.owner, same.next_step) == ("dsi", "ask")
