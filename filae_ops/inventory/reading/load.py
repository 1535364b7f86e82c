"""Load an inventory: two readers, one truth."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import SECTIONS, Inventory
from filae_ops.inventory.reading.ansible_values import ansible_values
from filae_ops.inventory.reading.pending import settle
from filae_ops.inventory.reading.problems import InventoryError, Problem, explain
from filae_ops.inventory.reading.references import reference_problems
from filae_ops.inventory.reading.yaml_files import HOSTS, Source, read
from filae_ops.inventory.types.choices import TO_FILL

SECRETS = "secrets.yml"
_VAULT = b"$ANSIBLE_VAULT;"
_READ_MAX = 256 * 1024
# As `init` wrote it: it holds no secret yet.
_UNFILLED = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\n)*(\w+):[ \t]*" + TO_FILL.encode() + rb"\s*")

Reader = Callable[[Path], dict[str, dict[str, Any]]]


def load(path: Path, *, reader: Reader = ansible_values, awaited: bool = False) -> Inventory:
    """Return the inventory at DIR or DIR/hosts.yml; no vault password is needed.

    `awaited`: the hospital's certificate and its key may be still to come, as when its DSI reads what they are for.
    """
    try:
        return _load(path, reader, awaited)
    except PermissionError as error:
        step = "give yourself the right to read it, and to enter its folders"
        raise OpsError(f"{error.filename or path}: cannot be read: {error.strerror}", next_step=step) from None


def applied(path: Path) -> Inventory:
    """Return the inventory as its files alone say it, for Ansible, which is about to apply it and reads it itself."""
    return load(path, reader=lambda hosts_file: read(hosts_file).hostvars())


def _load(path: Path, reader: Reader, awaited: bool) -> Inventory:
    source = read(Path(path))
    values = reader(source.directory / HOSTS)
    _agree(source, values)
    inventory = build(source, values)
    if unknown := reference_problems(inventory, source):
        raise InventoryError(unknown)
    _check_secrets(inventory, awaited)
    _check_certificates(inventory, source, awaited)
    return inventory


def _agree(source: Source, values: dict[str, dict[str, Any]]) -> None:
    """Refuse when Ansible would apply something else than what the files say."""
    expected = source.hostvars()
    if list(expected) != list(values) and sorted(expected) != sorted(values):
        raise OpsError(
            f"hosts.yml declares {sorted(expected)}, Ansible finds {sorted(values)}",
            next_step=f"compare with: ansible-inventory -i {source.directory}/hosts.yml --list",
        )
    for host, variables in expected.items():
        for key in sorted(variables.keys() | values[host].keys()):
            if json.dumps(variables.get(key), sort_keys=True) != json.dumps(values[host].get(key), sort_keys=True):
                raise OpsError(
                    f"{source.where((key,))}: Ansible gives another value to `{key}` of {host} than the file",
                    next_step=f"compare with: ansible-inventory -i {source.directory}/hosts.yml --list",
                )


def build(source: Source, values: dict[str, dict[str, Any]]) -> Inventory:
    """Return the inventory that values by machine make; InventoryError lists what the model refuses."""
    first = next(iter(values.values()))
    content: dict[str, Any] = {key: first[key] for key in first if key in SECTIONS}
    own = {
        name: {key: value for key, value in variables.items() if key not in SECTIONS}
        for name, variables in values.items()
    }
    content, _ = settle({**content, "hosts": own}, Inventory)
    content["hosts"] = {name: {**variables, "name": name} for name, variables in content["hosts"].items()}
    content |= {"directory": str(source.directory), "fingerprint": source.fingerprint()}
    try:
        return Inventory.model_validate_json(json.dumps(content))
    except ValidationError as exc:
        raise InventoryError(_problems(exc, source)) from None


def _problems(error: ValidationError, source: Source) -> list[Problem]:
    found = []
    for detail in error.errors(include_url=False):
        inner = detail.get("ctx", {}).get("at", ())
        loc = tuple(part for part in (*detail["loc"], *inner) if part != "[key]")
        what, owner, step = explain(dict(detail), Inventory)
        of_key = "[key]" in detail["loc"]
        found.append(Problem(source.where(loc), ".".join(map(str, loc)), what, owner, step, of_key))
    return sorted(found, key=lambda problem: problem.where)


def _check_secrets(inventory: Inventory, awaited: bool) -> None:
    path = inventory.directory / SECRETS
    if not os.path.lexists(path):
        return
    if not path.is_file():
        raise OpsError(f"{path} is not a regular file", next_step="put the encrypted file there, or remove it")
    with path.open("rb") as stream:
        head = stream.read(_READ_MAX)
    if head.startswith(_VAULT):
        return
    if empty := _UNFILLED.fullmatch(head):
        if awaited:
            return
        raise OpsError(
            f"{path}: {empty[1].decode()} is still {TO_FILL}",
            next_step=f"write the values, then ansible-vault encrypt {path}",
        )
    if inventory.production:
        raise OpsError(
            f"{path} is not encrypted, and site.environment is production",
            next_step=f"ansible-vault encrypt {path}; then change the secrets that were in clear",
        )
    if path.stat().st_mode & (stat.S_IRWXO):
        raise OpsError(f"{path} is in clear and other users can read it", next_step=f"chmod 600 {path}")


def _check_certificates(inventory: Inventory, source: Source, awaited: bool) -> None:
    problems = []
    for key, name in inventory.tls.files.items():
        coming = awaited and name and not os.path.lexists(inventory.directory / name)
        what = name and not coming and _certificate_problem(inventory.directory, name)
        if what:
            step = f"put the file at {inventory.directory / str(name)}, in PEM"
            problems.append(Problem(source.where(("tls", key)), f"tls.{key}", what, "dsi", step))
    if problems:
        raise InventoryError(problems)


def _certificate_problem(directory: Path, name: str) -> str | None:
    path = directory / name
    if not path.is_file():
        return f"{name!r}: no such file in the inventory"
    if not path.resolve().is_relative_to(directory.resolve()):
        return f"{name!r} leaves the inventory by a link"
    text = path.read_bytes()[: _READ_MAX + 1]
    if b"PRIVATE KEY" in text:
        return f"{name!r} holds a private key, in clear: consider it lost, and ask for another certificate"
    if len(text) > _READ_MAX or b"-----BEGIN CERTIFICATE-----" not in text:
        return f"{name!r} is not a certificate in PEM"
    return None
