"""What the keys of a contract must respect together, once each value is valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.agent.system.versions import version_key

Loc = tuple[str | int, ...]
Problem = tuple[Loc, str]
# Files of a release that root reads or writes: never where the application may put something else.
_TAKEN = ("MANIFEST.json", "Gemfile", "Gemfile.lock", ".Gemfile.lock.new", "CHANGELOG.md", "release.yml")


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
