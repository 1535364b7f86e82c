"""Fields of the declared tree by name: `hosting.certificates.hds.to`, `machines[].os.version`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Tree = Mapping[str, Any]
_KEY = re.compile(r"[^.\[\]]+|\[\]")


class _Missing:
    """Nothing was declared; a declared null is None."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True)
class Found:
    """One value at a field, with the place it was found at."""

    name: str
    """Field, with the item's name: `machines[filae-1].os.version`."""
    value: Any
    """MISSING when it was left out."""
    item: Any = None
    """Innermost item of a list that it is in."""
    above: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """Mappings that it is in, outermost first, each with its field."""

    @property
    def missing(self) -> bool:
        """Tell whether nothing was declared."""
        return self.value is MISSING


def generic(name: str) -> str:
    """Return the field without items' names: `machines[].os.version`."""
    return re.sub(r"\[[^\]]*\]", "[]", name)


def find(tree: Tree, field: str) -> tuple[Found, ...]:
    """Return every value of `field`; exactly one unless it goes through a list.

    A list that is missing gives one MISSING; a list that is null or empty says that there is none: None.
    """
    return tuple(_walk(Found("", tree), _KEY.findall(field)))


def first(tree: Tree, field: str) -> Any:
    """Return the value of a field that goes through no list, or MISSING."""
    return find(tree, field)[0].value


def declared(tree: Tree, field: str) -> Any:
    """Return the value of a field that goes through no list, None too when it is missing."""
    value = first(tree, field)
    return None if value is MISSING else value


def _walk(at: Found, keys: list[str]) -> Iterator[Found]:
    if not keys:
        yield at
        return
    key, rest = keys[0], keys[1:]
    if key == "[]":
        yield from _items(at, rest)
        return
    name = f"{at.name}.{key}" if at.name else key
    if isinstance(at.value, Mapping):
        above = (*at.above, (at.name, at.value)) if at.name else at.above
        yield from _walk(Found(name, at.value.get(key, MISSING), at.item, above), rest)
    else:
        yield _nothing(at, [name, *rest])


def _nothing(at: Found, keys: list[str]) -> Found:
    return Found(".".join(keys).replace(".[]", "[]"), MISSING if at.missing else None, at.item, at.above)


def _items(at: Found, rest: list[str]) -> Iterator[Found]:
    if not isinstance(at.value, list | tuple) or not at.value:
        yield _nothing(at, [f"{at.name}[]", *rest])
        return
    for index, item in enumerate(at.value):
        name = f"{at.name}[{_label(item, index)}]"
        yield from _walk(Found(name, item, item, at.above), rest)


def _label(item: Any, index: int) -> str:
    if isinstance(item, Mapping):
        for key in ("name", "id"):
            if isinstance(item.get(key), str):
                return str(item[key])
    return str(index)
