"""The how-to explains every key of the contract, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from filae_ops.bundle.contract import Contract

PAGE = Path(__file__).parents[3] / "docs/how-to/deploy-your-application.md"


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models(part)


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inside = list(models(field.annotation))
        if not inside:
            yield key
        for each in inside:
            shape = {dict: ".NAME.", list: "[]."}.get(get_origin(field.annotation), ".")
            yield from keys(each, key + shape)


def test_every_key_is_explained() -> None:
    explained = re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(), re.M)
    assert sorted(explained) == sorted(keys(Contract))


def test_what_must_be_stated_is_said() -> None:
    refused = {name.split(".")[0] for name in re.findall(r"^\| `([^`]+)` \|.*\| refused \|$", PAGE.read_text(), re.M)}
    assert refused == {name for name, field in Contract.model_fields.items() if field.is_required()}
