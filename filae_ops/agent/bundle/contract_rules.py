"""What a compiled contract must be: its shape, the rule of each value, and what its keys must respect together.

The controller's model of release.yml has the same rules, and a test compares the two. Compiled: as MANIFEST.json
holds it, with the defaults written out, memory in bytes, and no key without a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from filae_ops.agent.bundle import field_rules as rules
from filae_ops.agent.system.versions import version_key

Loc = tuple[str | int, ...]
Problem = tuple[Loc, str]
REBUILD = "build the bundle again with `filae-ops bundle build`, or ask for it again"
_TYPES = {str: "text", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}
# Files of a release that root reads or writes: never where the application may put something else.
_TAKEN = ("MANIFEST.json", "Gemfile", "Gemfile.lock", ".Gemfile.lock.new", "CHANGELOG.md", "release.yml")


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


def disagreements(contract: Mapping[str, Any]) -> Iterator[Problem]:
    """Give each disagreement between the keys of a contract whose values are valid."""
    yield from _basics(contract)
    yield from _names(contract)
    yield from _paths(contract)
    if "client" in contract:
        yield from _client(contract, contract["client"])


def within(path: str, directory: str) -> bool:
    """Tell whether a path is a directory, or lies in it."""
    return path == directory or path.startswith(f"{directory}/")


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


def _basics(contract: Mapping[str, Any]) -> Iterator[Problem]:
    lowest, version = contract.get("min_from"), contract["version"]
    if "web" not in contract["processes"]:
        yield ("processes",), "no `web`, the one process that every release has"
    if lowest and version_key(lowest) > version_key(version):
        yield ("min_from",), f"{lowest} is higher than version {version}"
    if "files_check" in contract and not contract["files"]:
        yield ("files_check",), "there are no `files` to check"
    if len(contract["health"].get("version", {"json": ""})) != 1:
        yield ("health", "version"), "needs one of json and header"


def _names(contract: Mapping[str, Any]) -> Iterator[Problem]:
    stated: list[tuple[Loc, str]] = [
        *((("env", name), name) for name in contract["env"]),
        *((("settings", name), name) for name in contract["settings"]),
        *((("secrets", name, "env"), spec["env"]) for name, spec in contract["secrets"].items() if "env" in spec),
    ]
    counts = Counter(name for _, name in stated)
    yield from ((loc, f"{name} is set twice (env, settings, secrets)") for loc, name in stated if counts[name] > 1)
    stores = Counter(store["name"] for store in contract["files"])
    for index, store in enumerate(contract["files"]):
        if stores[store["name"]] > 1:
            yield ("files", index, "name"), f"the name {store['name']!r} comes twice"


def _machine_paths(contract: Mapping[str, Any]) -> list[tuple[Loc, str]]:
    files: list[tuple[Loc, str]] = [
        (("files", at, "path"), store["path"]) for at, store in enumerate(contract["files"])
    ]
    return files + [(("scratch", at), path) for at, path in enumerate(contract["scratch"])]


def _paths(contract: Mapping[str, Any]) -> Iterator[Problem]:
    paths = _machine_paths(contract)
    for index, (loc, path) in enumerate(paths):
        if path in _TAKEN:
            yield loc, f"{path} is a file of the release"
        for _, other in paths[:index]:
            if within(path, other) or within(other, path):
                yield loc, f"{path} and {other} are one in the other (files, scratch)"


def _client(contract: Mapping[str, Any], client: Mapping[str, Any]) -> Iterator[Problem]:
    directory, otherwise = client.get("directory"), client["otherwise"]
    if directory is None:
        if otherwise != "app" or client["hashed"]:
            yield ("client", "directory"), "no directory of files, without which `client` states max_body alone"
        return
    for loc, path in _machine_paths(contract):
        if loc[0] == "files" and within(path, directory):
            yield loc, f"nginx would serve {path} to anyone: keep `files` out of {directory}"
        if within(directory, path):
            yield ("client", "directory"), f"{directory} is in {path}, which the bundle leaves out"
    health = contract["health"]["path"]
    if otherwise != "app" and (health == f"/{otherwise}" or not health.startswith("/api/")):
        yield ("health", "path"), f"{health} would answer {otherwise}: only /api/ goes to the application"
