"""What the keys of a contract must respect together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from filae_ops.agent.system.versions import version_key
from filae_ops.bundle.contract import Contract

Problem = tuple[tuple[str | int, ...], str]
_PLAIN = re.compile(r"[A-Za-z0-9._~/-]*")
_TAKEN = ("MANIFEST.json", "Gemfile.lock", "release.yml")


def inconsistencies(contract: Contract) -> list[Problem]:
    """Return each disagreement between keys: where it is stated, and what it is."""
    return [*_basics(contract), *_names(contract), *_paths(contract), *_client(contract)]


def within(path: str, directory: str) -> bool:
    """Tell whether a path is a directory, or lies in it."""
    return path == directory or path.startswith(f"{directory}/")


def _basics(contract: Contract) -> Iterator[Problem]:
    if "web" not in contract.processes:
        yield ("processes",), "no `web`, the one process that every release has"
    if contract.min_from and version_key(contract.min_from) > version_key(contract.version):
        yield ("min_from",), f"{contract.min_from} is higher than version {contract.version}"
    if contract.files_check and not contract.files:
        yield ("files_check",), "there are no `files` to check"


def _names(contract: Contract) -> Iterator[Problem]:
    stated: list[tuple[tuple[str | int, ...], str]] = [
        *((("env", name), name) for name in contract.env),
        *((("settings", name), name) for name in contract.settings),
        *((("secrets", name, "env"), spec.env) for name, spec in contract.secrets.items() if spec.env),
    ]
    counts = Counter(name for _, name in stated)
    yield from ((loc, f"{name} is set twice (env, settings, secrets)") for loc, name in stated if counts[name] > 1)
    stores = Counter(store.name for store in contract.files)
    for index, store in enumerate(contract.files):
        if stores[store.name] > 1:
            yield ("files", index, "name"), f"the name {store.name!r} comes twice"


def _machine_paths(contract: Contract) -> list[Problem]:
    files: list[Problem] = [(("files", index, "path"), store.path) for index, store in enumerate(contract.files)]
    return files + [(("scratch", index), path) for index, path in enumerate(contract.scratch)]


def _paths(contract: Contract) -> Iterator[Problem]:
    paths = _machine_paths(contract)
    for index, (loc, path) in enumerate(paths):
        if path in _TAKEN:
            yield loc, f"{path} is a file of the release"
        for _, other in paths[:index]:
            if within(path, other) or within(other, path):
                yield loc, f"{path} and {other} are one in the other (files, scratch)"


def _client(contract: Contract) -> Iterator[Problem]:
    client = contract.client
    if client is None:
        return
    if client.directory is None:
        if client.otherwise != "app" or client.hashed or "max_body" not in client.model_fields_set:
            yield ("client", "directory"), "no directory of files, without which `client` states max_body alone"
        return
    named = {"directory": client.directory, "otherwise": client.otherwise, "hashed": "/".join(client.hashed)}
    for key, value in named.items():
        if not _PLAIN.fullmatch(value):
            yield ("client", key), f"{value}: nginx is given letters, digits and . _ ~ - only"
    for loc, path in _machine_paths(contract):
        if loc[0] == "files" and within(path, client.directory):
            yield loc, f"nginx would serve {path} to anyone: keep `files` out of {client.directory}"
        if within(client.directory, path):
            yield ("client", "directory"), f"{client.directory} is in {path}, which the bundle leaves out"
    if client.otherwise != "app" and not contract.health.path.startswith("/api/"):
        why = f"{contract.health.path} would answer {client.otherwise}: only /api/ goes to the application"
        yield ("health", "path"), why
