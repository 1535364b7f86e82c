"""What a hosting model asks for, as YAML to fill in: each field says why it is asked, and by which requirements."""

from __future__ import annotations

import datetime as dt
import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from filae_ops.agent.system.plain_text import plain
from filae_ops.inventory.model.documents import Document
from filae_ops.inventory.model.hosting import NAMED_HOST
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.inventory.writing.field_tree import Node, asking, find
from filae_ops.paths import data_path

WIDTH = 138
NOTHING = "\0"
"""Stands for no line at all."""
_INLINE = 3
_NAMED = 6
# Written by the templates themselves, or never asked for: they answer a need of the site.
_TEMPLATED = (
    "site", "access_governance", "access.operators", "access.dsi", "network.proxy", "network.mail_relay", "flows",
    "app", "tls", "patching.mirror", "backup.retention_days", "backup.monitoring", "hosting.host_id",
    "hosting.service_id", "hosting.region", "machines[].os.id", "machines[].os.version", "backup.monitoring.alert_to",
    "network.reverse_proxy.addresses",
)  # fmt: skip


_PROOF = ("file", "copy", "attestation", "sheet", "contract")
_OF_A_HOST = ("incidents.contacts.host",)
_ALWAYS = {"data.health": True, "data.judicial": True}


@dataclass(frozen=True)
class Asking:
    """What is asked of a hosting model; `ask` False writes only what is declared."""

    model: str
    ask: bool = True
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Values by path, as `documents.aipd.file`; lists and mappings are written on one line."""

    def whole(self, section: str, title: str) -> str:
        """Return a section under its title, or nothing."""
        node = find(section)
        lines = list(self._lines(node, 0)) if node else []
        body = [line for line in lines if not line.startswith("#")] if node and node.model and not node.many else lines
        return "\n".join(["", f"# {title}", *body]) if body else NOTHING

    def rest(self, section: str, indent: int) -> str:
        """Return what a section that the template begins holds besides, or nothing."""
        node = find(section)
        lines = [line for child in (node.children() if node else ()) for line in self._lines(child, indent)]
        return "\n".join(lines) or NOTHING

    def why(self, path: str) -> str:
        """Return the requirements that read a field, as the end of its comment."""
        return self._for(asking(path, self.model))

    def _for(self, names: tuple[str, ...]) -> str:
        more = f" et {len(names) - _NAMED} autres" if len(names) > _NAMED + 1 else ""
        return f" Pour {', '.join(names[:_NAMED] if more else names)}{more}." if names else ""

    def _lines(self, node: Node, indent: int) -> Iterator[str]:
        templated = node.path in _TEMPLATED or (node.required and "." not in _parent(node))
        if templated or not self._wanted(node):
            return
        margin = " " * indent
        if comment := self._comment(node, WIDTH - indent):
            yield f"{margin}# {comment}"
        if node.model is None or node.many or node.model is Document or self._short(node) or node.path in self.declared:
            yield from _fitted(f"{margin}{node.name}: ", self._value(node), margin)
            return
        yield f"{margin}{node.name}:"
        for child in node.children():
            yield from self._lines(child, indent + 2)

    def _wanted(self, node: Node) -> bool:
        if any(path == node.path or path.startswith(f"{node.path}.") for path in self.declared):
            return True
        if not self.ask or (node.path in _OF_A_HOST and self.model not in NAMED_HOST):
            return False
        if asking(node.path, self.model):
            return True
        parent = _parent(node)
        needed = node.required or node.name in _PROOF or bool(asking(parent, self.model, exact=True))
        return "." in parent and needed

    def _short(self, node: Node) -> bool:
        children = list(node.children())
        return len(children) <= _INLINE and not any(asking(child.path, self.model) for child in children)

    def _value(self, node: Node) -> str:
        given = self.declared.get(node.path, _ALWAYS.get(node.path, TO_FILL))
        if node.model is None or given != TO_FILL:
            return _flow([given] if node.many and given == TO_FILL else given)
        parts = [f"{child.name}: {self._value(child)}" for child in node.children() if self._shown(child)]
        text = "{" + ", ".join(parts) + "}"
        return f"[{text}]" if node.many else text

    def _shown(self, child: Node) -> bool:
        return child.path in self.declared or (self.ask and child.path not in _TEMPLATED) or child.required

    def _comment(self, node: Node, width: int) -> str:
        text = label(node.path)
        if not text:
            return ""
        text = text[0].upper() + text[1:]
        options = ("true", "false") if node.words == "true or false" else node.choices
        choices = f" ({', '.join(options[:-1])} ou {options[-1]})" if len(options) > 1 else ""
        block = node.model is not None and not (node.many or node.model is Document or self._short(node))
        why = self._for(asking(node.path, self.model, exact=block))
        room = width - len(text) - len(why) - 1
        return f"{text}{choices if len(choices) <= room else ''}.{why}"


def _fitted(key: str, value: str, margin: str) -> Iterator[str]:
    """Yield one line, or several for a list that does not fit: a break in it reads back as a space."""
    if len(key) + len(value) <= WIDTH or not value.startswith("["):
        yield key + value
        return
    items = value[1:-1].replace("}, {", "},\n{").splitlines()
    room = WIDTH - len(margin) - 2
    yield f"{key}["
    for item in items:
        yield from (
            f"{margin}  {part}" for part in textwrap.wrap(item, room, break_long_words=False, break_on_hyphens=False)
        )
    yield f"{margin}]"


def _parent(node: Node) -> str:
    return node.path.rpartition(".")[0]


@cache
def _words() -> Mapping[str, str]:
    words: dict[str, str] = yaml.safe_load(data_path("templates", "inventory", "words.yml").read_text(encoding="utf-8"))
    return words


def label(path: str) -> str:
    """Return what a field is, in French; empty when its name says it."""
    from filae_ops.register.lookup import fields

    if path in _words():
        return _words()[path]
    return fields()[path].fr if path in fields() else ""


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return "null" if value is None else str(scalar(value))


def scalar(value: Any) -> Any:
    """Write a value as YAML, plain when it reads back as itself."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | dt.date):
        return str(value)
    try:
        as_it_is = yaml.safe_load(f"k: [{value}]") == {"k": [value]} and yaml.safe_load(f"k: {value}") == {"k": value}
    except yaml.YAMLError:
        as_it_is = False
    return value if as_it_is else plain(json.dumps(value, ensure_ascii=False))
