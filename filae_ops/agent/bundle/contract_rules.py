"""What a compiled contract must be: its shape, the rule of each value, then the agreement of its keys.

The controller's model of release.yml has the same rules, and a test compares the two. Compiled: as MANIFEST.json
holds it, with the defaults written out, memory in bytes, and no key without a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from filae_ops.agent.bundle import field_rules as rules
from filae_ops.agent.bundle.contract_agreement import Loc, Problem, disagreements

REBUILD = "build the bundle again with `filae-ops bundle build`, or ask for it again"
_TYPES = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}


class Value:
    """A value of one type, with its rule."""

    def __init__(self, kind: type, rule: Callable[[Any], object]) -> None:
        self.kind = kind
        self.rule = rule

    def problems(self, value: object, loc: Loc) -> Iterator[Problem]:
        """Give what is wrong with a value."""
        if type(value) is not self.kind:
            yield loc, f"is not {_TYPES[self.kind]}"
            return
        try:
            self.rule(value)
        except ValueError as exc:
            yield loc, str(exc)


class Items(Value):
    """A list; the rule is that of the whole list."""

    def __init__(self, item: Value, rule: Callable[[Any], object] = rules.few) -> None:
        super().__init__(list, rule)
        self.item = item

    def problems(self, value: object, loc: Loc) -> Iterator[Problem]:
        """Give what is wrong with each item, else with the list."""
        wrong = False
        for index, item in enumerate(value if isinstance(value, list) else ()):
            for problem in self.item.problems(item, (*loc, index)):
                wrong = True
                yield problem
        if not wrong:
            yield from super().problems(value, loc)


class Named(Value):
    """An object whose keys are names of the application's own."""

    def __init__(self, name: rules.Rule, item: Value) -> None:
        super().__init__(dict, rules.few)
        self.name = Value(str, name)
        self.item = item

    def problems(self, value: object, loc: Loc) -> Iterator[Problem]:
        """Give what is wrong with the object, its names and its values."""
        yield from super().problems(value, loc)
        for name, item in value.items() if isinstance(value, dict) else ():
            yield from self.name.problems(name, (*loc, name))
            yield from self.item.problems(item, (*loc, name))


class Part(Value):
    """An object of keys that we know."""

    def __init__(self, required: Mapping[str, Value], optional: Mapping[str, Value] | None = None) -> None:
        super().__init__(dict, lambda value: value)
        self.required = required
        self.optional = optional or {}

    def problems(self, value: object, loc: Loc) -> Iterator[Problem]:
        """Give the keys that are missing or unknown, and what is wrong with the others."""
        yield from super().problems(value, loc)
        if not isinstance(value, dict):
            return
        yield from (((*loc, key), "is missing") for key in self.required if key not in value)
        for key, item in value.items():
            if known := self.required.get(key) or self.optional.get(key):
                yield from known.problems(item, (*loc, key))
            else:
                yield (*loc, key), "unknown key"


def _text(rule: rules.Rule) -> Value:
    return Value(str, rule)


_PATH = _text(rules.relative_path)
_SERVED = _text(rules.served_path)
_COMMAND = Items(_text(rules.word), rules.command)
_RUN = Part({"command": _COMMAND})
CONTRACT = Part(
    {
        "name": _text(rules.slug),
        "version": _text(rules.version),
        "ruby": _text(rules.ruby_series),
        "debian_packages": Items(_text(rules.package), rules.unique),
        "gems": _text(rules.choice("debian", "vendored")),
        "env": Named(rules.env_name, _text(rules.text)),
        "settings": Named(rules.env_name, Part({}, {"default": _text(rules.text)})),
        "secrets": Named(
            rules.slug,
            Part(
                {},
                {
                    "generate": _text(rules.choice("hex64", "password")),
                    "env": _text(rules.env_name),
                    "for": _text(rules.choice("setup")),
                },
            ),
        ),
        "database": Part(
            {
                "locale": _text(rules.locale),
                "extensions": Items(_text(rules.extension), rules.unique),
            }
        ),
        "files": Items(Part({"name": _text(rules.slug), "path": _PATH})),
        "scratch": Items(_PATH),
        "processes": Named(rules.process_name, _COMMAND),
        "timers": Named(rules.timer_name, Part({"command": _COMMAND, "calendar": _text(rules.calendar)})),
        "health": Part(
            {"path": _text(rules.health_path), "status": Value(int, rules.status)},
            {"version": Part({}, {"json": _text(rules.json_key), "header": _text(rules.header)})},
        ),
        "memory": Value(int, rules.memory),
    },
    {
        "min_from": _text(rules.version),
        "migrate": Part(
            {
                "command": _COMMAND,
                "schema_version": _text(rules.schema_version),
                "kind": _text(rules.choice("expand", "contract", "window")),
            }
        ),
        "setup": _RUN,
        "probe": Part({"command": _COMMAND, "writes": Value(bool, lambda value: value)}),
        "files_check": _RUN,
        "client": Part(
            {
                "otherwise": _text(rules.client_page),
                "hashed": Items(_SERVED, rules.hashed_directories),
                "max_body": _text(rules.body_size),
            },
            {"directory": _SERVED},
        ),
    },
)


def problems(contract: object) -> Iterator[Problem]:
    """Give each problem of a compiled contract: where it is, and what it is; how keys agree is looked at last."""
    valid = True
    for problem in CONTRACT.problems(contract, ()):
        valid = False
        yield problem
    if valid and isinstance(contract, dict):
        yield from disagreements(contract)


def contract_problem(contract: object) -> str:
    """Return the first problem of a compiled contract, with its key and its value, or nothing."""
    for loc, why in problems(contract):
        key = ".".join(["contract", *(_shown_key(part) for part in loc)])
        return f"{key}: {why}{_got(contract, loc)}"
    return ""


def shown(value: object) -> str:
    """Return a value for a message, short and on one line whatever it is."""
    return f"{value!r:.200}" if isinstance(value, str | int | float | None) else type(value).__name__


def _shown_key(part: str | int) -> str:
    """Return a part of a key as it is where it is a plain name, else spelt out."""
    text = str(part)
    return text if len(text) <= 64 and text.translate({45: None, 95: None}).isalnum() else f"{text!r:.80}"


def _got(contract: Any, loc: Loc) -> str:
    for part in loc:
        if isinstance(contract, dict) and part not in contract:
            return ""
        contract = contract[part]
    return "" if isinstance(contract, dict | list) else f" (got {shown(contract)})"
