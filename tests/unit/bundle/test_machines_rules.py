"""The machine's rules for a contract and the controller's model are one: same keys, same values, same refusals."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from material.agent.fakes import CONTRACT as WHOLE
from material.bundles import CONTRACT as SMALL
from pydantic import BaseModel, ValidationError

from filae_ops.agent.bundle import contract_rules
from filae_ops.agent.bundle.contract_agreement import Loc
from filae_ops.agent.bundle.contract_rules import Items, Named, Part, Value
from filae_ops.bundle.contract import Contract

CONTRACTS: dict[str, dict[str, Any]] = {
    "whole": {**WHOLE, "files_check": {"command": ["bin/files"]}},
    "small": SMALL,
    "uploads alone": {**SMALL, "client": {"otherwise": "app", "hashed": [], "max_body": "20m"}},
    "page in the client": {
        **SMALL,
        "client": {"directory": "public", "otherwise": "app", "hashed": ["assets"], "max_body": "1m"},
        "health": {"path": "/up", "status": 204, "version": {"header": "X-Version"}},
    },
}
# No text of a contract holds any of these, wherever it stands.
NOWHERE = [
    "x\nExecStartPre=+/bin/touch /pwned", "\n", "a\n", "a\r", "a\0b", "a\x1b[2J", "a\x7f", "a\x85b", "a\tb", "a\u2028b",
    "a\u202eb", "\ud800", "x" * 5000,
]  # fmt: skip
TEXTS = [
    "", " ", "a b", "a'b", 'a"b', "a\\b", "a{b}", "a;b", "%n", "a%b", "$HOME", "$(id)", "${x}", "`id`", "-x", "--force",
    "puma-", "../x", "/etc/passwd", "a/../b", ".", "..", "a//b", "+x", "!x", "@x", "é", "A", "A_B", "PATH",
    "LD_PRELOAD", "PGHOST", "1", "1.0", "web", "daily", "/up", "/api/x", "//x", "app", "storage", "tmp", "public",
    "public/x", "5m", "MANIFEST.json", "fr_FR.UTF-8", "a" * 41, "n" * 256, "x" * 101, "a..b", "/", "/.", "/a//b",
    "/a/.", "index.html", "maintenance.html", "/maintenance.html", "api/page.html", "/api/page.html", "migrate",
    "setup", "lock", "blue", "x-blue", "x-green", "x_blue", "blue-x", "/".join(["p" * 200] * 3), "/" + "p" * 600,
    "/".join("p" * 101),
]  # fmt: skip
VALUES: list[Any] = [
    *NOWHERE, *TEXTS, None, True, False, 0, 1, -1, 200, 399, 400, 2**24, 2**40, 2**40 + 1, 10**400, 1.5, 200.0,
    float("nan"), float("inf"), [], {}, ["a"], [["a"]], [1], {"a": "b"}, {"command": ["a"]}, [{}], ["a", "a"],
    ["a"] * 101, [f"{'a' * 76}{n}" for n in range(40)], [f"a{n}" for n in range(501)],
    {f"a{n}": ["a"] for n in range(501)}, {f"A{n}": "" for n in range(501)},
]  # fmt: skip


def machine_takes(contract: Any) -> bool:
    return not list(contract_rules.problems(json.loads(json.dumps(contract))))


def controller_takes(contract: Any) -> bool:
    """Tell whether the model reads it, finds it in order, and would write the same."""
    try:
        model = Contract.model_validate(contract)
    except ValidationError:
        return False
    return model.compiled() == contract and not model.disagreements()


def places(value: Any, loc: Loc = ()) -> Iterator[Loc]:
    """Give the place of each value of a contract, down to its leaves."""
    if loc:
        yield loc
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places(part, (*loc, key))


def changed(contract: dict[str, Any], loc: Loc, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(contract)
    holder: Any = content
    for part in loc[:-1]:
        holder = holder[part]
    holder[loc[-1]] = value
    return content


def without(contract: dict[str, Any], loc: Loc) -> dict[str, Any]:
    content = copy.deepcopy(contract)
    holder: Any = content
    for part in loc[:-1]:
        holder = holder[part]
    del holder[loc[-1]]
    return content


def at(contract: Any, loc: Loc) -> Any:
    for part in loc:
        contract = contract[part]
    return contract


ROWS = [
    pytest.param(contract, loc, id=f"{name}: {'.'.join(map(str, loc))}")
    for name, contract in CONTRACTS.items()
    for loc in places(contract)
]


@pytest.mark.parametrize("name", CONTRACTS)
def test_both_take_what_is_right(name: str) -> None:
    assert machine_takes(CONTRACTS[name])
    assert controller_takes(CONTRACTS[name])


@pytest.mark.parametrize(("contract", "loc"), ROWS)
def test_both_take_or_refuse_the_same_values_at_each_place(contract: dict[str, Any], loc: Loc) -> None:
    contents = [changed(contract, loc, value) for value in VALUES]
    if loc == ("client",):  # {}: release.yml must state something in it, and nothing compiles to that
        contents = [content for content in contents if content["client"] != {}]
    assert [c for c in contents if machine_takes(c) != controller_takes(c)] == []
    if isinstance(at(contract, loc), str):
        assert [text for text in NOWHERE if machine_takes(changed(contract, loc, text))] == []


@pytest.mark.parametrize(("contract", "loc"), ROWS)
def test_both_take_or_refuse_the_same_keys(contract: dict[str, Any], loc: Loc) -> None:
    contents = [without(contract, loc)]
    if isinstance(at(contract, loc), dict):
        for value in ("x", 1, ["a"], {}, {"command": ["a"], "calendar": "daily"}):
            contents += [changed(contract, (*loc, name), value) for name in [*NOWHERE, *TEXTS]]
        assert [name for name in NOWHERE if machine_takes(changed(contract, (*loc, name), "x"))] == []
    assert [c for c in contents if machine_takes(c) != controller_takes(c)] == []


@pytest.mark.parametrize("value", [None, [], "x", 1, {}])
def test_what_is_no_contract_at_all(value: Any) -> None:
    assert not machine_takes(value)


def compare(model: type[BaseModel], part: Value, where: str = "contract") -> Iterator[str]:
    """Give where the shape is not what the model compiles to: keys, which of them may be absent, and containers."""
    assert isinstance(part, Part), where
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    absent = {key for key, field in fields.items() if not field.is_required() and field.default is None}
    if (set(part.required), set(part.optional)) != (set(fields) - absent, absent):
        yield f"{where}: {sorted(part.required)} and {sorted(part.optional)}"
    for key, field in fields.items():
        shape = {**part.required, **part.optional}[key]
        yield from compare_type(field.annotation, shape, f"{where}.{key}")


def compare_type(annotation: Any, shape: Value, where: str) -> Iterator[str]:
    stated = [each for each in get_args(annotation) if each is not type(None)]
    if type(None) in get_args(annotation) or (
        get_origin(annotation) is not None and hasattr(annotation, "__metadata__")
    ):
        yield from compare_type(stated[0], shape, where)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from compare(annotation, shape, where)
    elif get_origin(annotation) is dict:
        assert isinstance(shape, Named), where
        yield from compare_type(stated[1], shape.item, f"{where}.NAME")
    elif get_origin(annotation) is list:
        assert isinstance(shape, Items), where
        yield from compare_type(stated[0], shape.item, f"{where}[]")
    elif shape.kind not in (annotation, *(type(each) for each in stated)):
        yield f"{where}: {shape.kind.__name__}, and {annotation} in the model"


def test_the_shape_is_that_of_the_model() -> None:
    assert list(compare(Contract, contract_rules.CONTRACT)) == []
