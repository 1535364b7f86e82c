"""What the annotation of a model's field stands for: a group, a list, a mapping, null or not."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def is_model(kind: Any) -> bool:
    """Tell whether an annotation is a group of fields."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def parts(kind: Any) -> list[Any]:
    """Return what an annotation stands for, without its checks: the members of a union, or itself."""
    if get_origin(kind) is Annotated:
        return parts(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return [part for member in get_args(kind) for part in parts(member)]
    return [kind]


def inner(kind: Any) -> Any:
    """Return the kind of the items of a list, or of the values of a mapping."""
    for part in parts(kind):
        if get_origin(part) is tuple:
            return get_args(part)[0]
        if get_origin(part) is Mapping:
            return get_args(part)[1]
    return None


def admits_null(kind: Any) -> bool:
    """Tell whether null may be declared."""
    return type(None) in parts(kind)
