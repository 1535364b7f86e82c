"""What is written `a-renseigner`: left out where the model allows it, refused everywhere else.

A list or a mapping that holds nothing else is left out with it; one that is half filled is refused, since
what is missing would go unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from filae_ops.inventory.types.annotations import admits_null, inner, is_model, parts
from filae_ops.inventory.types.choices import TO_FILL

# Optional fields that the roles read as they are written: left out here, they would still be applied.
APPLIED = (
    "site.maintenance_window", "access", "network.proxy", "network.mail_relay", "patching.mirror", "app", "tls",
    "flows.port", "network.reverse_proxy.addresses",
)  # fmt: skip

Loc = tuple[int | str, ...]


class _Left(Enum):
    OUT = 0


def settle(values: Mapping[str, Any], model: type[BaseModel]) -> tuple[dict[str, Any], list[Loc]]:
    """Return the values without what is left out, and the places that must be filled in."""
    kept, pending = _mapping(values, model, ())
    return ({} if kept is _Left.OUT else kept), pending


def _settle(value: Any, kind: Any, loc: Loc) -> tuple[Any, list[Loc]]:
    if value == TO_FILL:
        return _Left.OUT, [loc]
    if value is None and kind is not None and not admits_null(kind):
        return _Left.OUT, []
    if isinstance(value, Mapping):
        return _mapping(value, kind, loc)
    if isinstance(value, list):
        return _list(value, inner(kind), loc)
    return value, []


def _mapping(value: Mapping[str, Any], kind: Any, loc: Loc) -> tuple[Any, list[Loc]]:
    model = next(filter(is_model, parts(kind)), None)
    fields = _fields(model) if model else {}
    kept: dict[str, Any] = {}
    pending: list[Loc] = []
    left = 0
    for key, given in value.items():
        place, info = (*loc, key), fields.get(key)
        found, more = _settle(given, info.annotation if info else None if model else inner(kind), place)
        if found is _Left.OUT:
            left += 1
            if info and not info.is_required() and not _applied(place):
                continue
        kept[key] = given if found is _Left.OUT else found
        pending += more
    return (_Left.OUT if value and left == len(value) else kept), pending


def _list(value: list[Any], kind: Any, loc: Loc) -> tuple[Any, list[Loc]]:
    found = [_settle(item, kind, (*loc, index)) for index, item in enumerate(value)]
    pending = [place for _, more in found for place in more]
    if value and all(item is _Left.OUT for item, _ in found):
        return _Left.OUT, pending
    return [given if item is _Left.OUT else item for given, (item, _) in zip(value, found, strict=True)], pending


def _applied(loc: Loc) -> bool:
    name = ".".join(part for part in loc if isinstance(part, str))
    return str(loc[-1]).startswith("ansible_") or any(f"{name}.".startswith(f"{prefix}.") for prefix in APPLIED)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
