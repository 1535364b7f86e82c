"""Say what is wrong with an inventory: file, line, field, value, who acts, what next."""

from __future__ import annotations

import difflib
import types
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from filae_ops.errors import OpsError, Owner

SHOWN = 20
AT_CONSOLE = "at the machine's console: cat /etc/ssh/ssh_host_ed25519_key.pub"
_FIX = "correct this line, then run the same command again"
_EACH = "correct each line, the provider where nobody else is named, then run the same command again"
_WANTED = {
    "missing": "missing key",
    "extra_forbidden": "unknown key",
    "string_type": "text is wanted",
    "int_type": "a whole number is wanted",
    "int_from_float": "a whole number is wanted",
    "bool_type": "true or false is wanted",
    "tuple_type": "a list (lines starting with -) is wanted",
    "list_type": "a list (lines starting with -) is wanted",
    "model_type": "a mapping (`key: value` lines) is wanted",
    "model_attributes_type": "a mapping (`key: value` lines) is wanted",
    "mapping_type": "a mapping (`key: value` lines) is wanted",
    "dict_type": "a mapping (`key: value` lines) is wanted",
    "too_short": "empty: at least one is wanted",
    "date_type": "a date written YYYY-MM-DD is wanted",
    "date_parsing": "a date written YYYY-MM-DD is wanted",
    "date_from_datetime_parsing": "a date that exists, written YYYY-MM-DD, is wanted",
    "date_from_datetime_inexact": "a date written YYYY-MM-DD, without a time, is wanted",
    "string_pattern_mismatch": "not of the wanted form",
}


@dataclass(frozen=True)
class Problem:
    """One thing to correct."""

    where: str
    """`file:line:column`."""
    field: str
    """Field, as `access.operators.0.name`."""
    what: str
    """What is wrong, with the value."""
    owner: Owner = "provider"
    next_step: str = _FIX
    of_key: bool = False
    """The key itself is refused, whatever is filled in below it."""

    def __str__(self) -> str:
        """Return the line that people read."""
        field = f"{self.field}: " if self.field else ""
        step = "" if self.next_step == _FIX else f" -> {self.owner}: {self.next_step}"
        return f"{self.where}: {field}{self.what}{step}"


class InventoryError(OpsError):
    """An inventory that is refused, with every problem found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, more = problems[0], problems[SHOWN:]
        lines = [str(problem) for problem in problems[:SHOWN]]
        if more:
            files = Counter(problem.where.partition(":")[0] for problem in more)
            lines.append(f"... and {len(more)} more: {', '.join(f'{n} in {name}' for name, n in files.items())}")
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        text = "\n".join([f"the inventory is refused, {count}:", *(f"  {line}" for line in lines)])
        owner: Owner = first.owner if len({problem.owner for problem in problems}) == 1 else "shared"
        step = first.next_step if len({problem.next_step for problem in problems}) == 1 else _EACH
        super().__init__(text, owner=owner, next_step=step)
        self.problems = tuple(problems)


def explain(detail: Mapping[str, Any], model: type[BaseModel]) -> tuple[str, Owner, str]:
    """Return what is wrong, who acts and what next, of one problem that pydantic found."""
    kind, loc, value = detail["type"], detail["loc"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "refused":
        return context["why"], context["owner"], context["next_step"]
    what = _WANTED.get(kind, detail["msg"].removeprefix("Input should be ").strip())
    if kind == "literal_error":
        what = f"one of {context['expected']} is wanted"
    if kind == "missing" and loc[-1] == "host_key":
        return what, "dsi", f"add `host_key`: {AT_CONSOLE}"
    if kind == "missing":
        return what, "provider", f"add `{loc[-1]}`; `filae-ops init` shows every key, commented"
    if kind == "extra_forbidden":
        return what + guess(str(loc[-1]), fields_at(model, loc[:-1])), "provider", _FIX
    if isinstance(value, str | int | float | bool):
        what += f", not {_shown(value)}"
        if kind in ("string_type", "string_pattern_mismatch") and not isinstance(value, str):
            what += ": put quotes around it"
    return what, "provider", _FIX


def fields_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Return the keys that the model knows at a place."""
    here: Any = model
    for part in loc:
        found = _models(here)
        if found and isinstance(part, str):
            names = {field.alias or name: field.annotation for name, field in found[0].model_fields.items()}
            here = names.get(part)
        else:
            here = get_args(here)[-1 if isinstance(part, str) else 0] if get_args(here) else None
    return [field.alias or name for model in _models(here) for name, field in model.model_fields.items()]


def guess(word: str, known: Sequence[str]) -> str:
    """Return `; did you mean X?` when a known word is close."""
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType):
        return [model for part in get_args(annotation) for model in _models(part)]
    return []


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
