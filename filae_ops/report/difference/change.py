"""One thing that differs between two inventories, and the sentence that suits it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as defaulted
from typing import Any, Literal

from filae_ops.report.document.values import MISSING

Group = Literal["flows", "access", "hosting", "documents", "rest"]
GROUPS: tuple[Group, ...] = ("flows", "access", "hosting", "documents", "rest")
Tree = Mapping[str, Any]

_GROUPS: tuple[tuple[str, Group], ...] = (
    ("access.administration_networks", "flows"), ("flows", "flows"), ("network", "flows"),
    ("access", "access"), ("admin", "access"), ("identity", "access"), ("app.signers", "access"),
    ("machines[].connection", "access"), ("machines[].additions", "access"),
    ("contracts", "documents"), ("documents", "documents"),
    ("hosting", "hosting"), ("establishment", "hosting"), ("backup.offsite", "hosting"),
    ("supervision.endpoint", "hosting"),
)  # fmt: skip
_LEAVES = {
    "hosting.host_id": "host", "hosting.service_id": "service", "hosting.model": "model",
    "machines[].connection.host_key": "host_key",
}  # fmt: skip
_ENDS = ("until", "to")
_ITEM = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True)
class Change:
    """One thing that differs; `code` names the sentence that says it."""

    code: str
    field: str
    """Where, as `flows[ssh]` or `hosting.certificates.hds.to`."""
    before: Any
    """What was declared; MISSING where nothing was."""
    after: Any
    group: Group
    more: Mapping[str, Any] = defaulted(default_factory=dict)
    """What else the sentence names."""

    @property
    def generic(self) -> str:
        """Return the field as the register names it: `flows[]`."""
        return generic(self.field)


def generic(name: str) -> str:
    """Return the name of a field without the names of items."""
    return _ITEM.sub("[]", name)


def item(name: str, key: str) -> str:
    """Return the name of an item of a list; its own brackets would end the name."""
    return f"{name}[{key.replace('[', '(').replace(']', ')')}]"


def same(before: Any, after: Any) -> bool:
    """Tell whether two values are the same JSON."""
    if before is MISSING or after is MISSING:
        return before is after
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)


def leaf(before: Any, after: Any, name: str) -> Change:
    """Return the change of one value, by the sentence that suits it best."""
    group = "documents" if is_document(before) or is_document(after) else group_of(name)
    return Change(_code(before, after, name), name, before, after, group)


def _code(before: Any, after: Any, name: str) -> str:
    if code := _LEAVES.get(generic(name)):
        return code if isinstance(before, str) and isinstance(after, str) else "value"
    if is_document(before) or is_document(after):
        return _document(before, after)
    if name.endswith("]"):
        return "item_added" if before is MISSING else "item_removed" if after is MISSING else "value"
    if _listed(before) and _listed(after):
        return "list" if set(before) != set(after) else "order" if len(before) == len(after) else "value"
    first, second = _day(before), _day(after)
    if first and second:
        end = generic(name).rpartition(".")[2] in _ENDS
        return ("later" if first < second else "earlier") if end else "value"
    return "value"


def _document(before: Any, after: Any) -> str:
    if not is_document(before):
        return "document_added"
    if not is_document(after):
        return "document_removed"
    return "document_replaced" if before["file"] != after["file"] else "document_dated"


def _listed(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str | int) for each in value)


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None


def group_of(name: str) -> Group:
    """Return the chapter that a field belongs to."""
    plain = generic(name)
    return next((group for start, group in _GROUPS if f"{plain}.".startswith((f"{start}.", f"{start}["))), "rest")


def is_document(value: Any) -> bool:
    """Tell whether a value is a written document and its date."""
    return isinstance(value, Mapping) and "file" in value and set(value) <= {"file", "date"}


@dataclass(frozen=True)
class Both:
    """The two whole inventories: a sentence may need more than the place that changed."""

    before: Tree
    after: Tree
