"""What of a source tree goes into a bundle, and what is left out with the reason."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from filae_ops.agent.bundle.contract_rules import shown
from filae_ops.agent.bundle.field_rules import path_problem
from filae_ops.agent.bundle.manifest import NAME
from filae_ops.bundle import vendored_gems
from filae_ops.bundle.contract import Contract
from filae_ops.errors import OpsError

Entry = dict[str, Any]
_CHUNK = 256 * 1024


@dataclass(frozen=True)
class Tree:
    """The entries of a manifest, sorted, and what was left out."""

    entries: list[Entry]
    left_out: list[tuple[str, str]]


def refuse_source(message: str, next_step: str) -> NoReturn:
    """Refuse a source tree: its author acts."""
    raise OpsError(message, owner="provider", next_step=next_step)


def scan(source: Path, contract: Contract) -> Tree:
    """Walk the source; owners and times do not matter, modes become 0644 or 0755."""
    left_out: list[tuple[str, str]] = []
    entries = {entry["path"]: entry for entry in _walk(source, "", _reasons(contract), left_out)}
    for path in _machine_paths(contract):
        for parent in _parents(path):
            found = entries.setdefault(parent, {"path": parent, "type": "dir", "mode": "0755"})
            if found["type"] != "dir":
                refuse_source(
                    f"{source / parent}: not a directory, while the contract puts {path} in it",
                    "correct files or scratch in release.yml, or the tree",
                )
    tree = Tree([entries[path] for path in sorted(entries)], sorted(left_out))
    _check_promises(source, contract, entries)
    return tree


def _machine_paths(contract: Contract) -> list[str]:
    return [*(store.path for store in contract.files), *contract.scratch]


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: index + 1]) for index in range(len(parts))]


def _reasons(contract: Contract) -> dict[str, str]:
    reasons = {store.path: f"files of the application, kept on the machine ({store.name})" for store in contract.files}
    reasons |= dict.fromkeys(contract.scratch, "scratch, made on the machine for each release")
    reasons[".bundle"] = "Bundler's settings where the release was built; they may hold passwords"
    reasons[f"{vendored_gems.home(contract)}/cache"] = "gems as they were downloaded, installed beside it"
    if contract.gems == "debian":
        reasons["Gemfile.lock"] = "gems: debian, so the lock is made on the machine from its packages"
    return reasons


def _walk(source: Path, prefix: str, reasons: dict[str, str], left_out: list[tuple[str, str]]) -> Iterator[Entry]:
    try:
        with os.scandir(source / prefix) as found:
            items = sorted(found, key=lambda item: item.name)
    except OSError as exc:
        refuse_source(f"{source / prefix}: {exc.strerror}", "make the source readable, then build again")
    for item in items:
        path = prefix + item.name
        if item.name == ".git":
            left_out.append((path, "the history of the source"))
        elif path in reasons:
            left_out.append((path, reasons[path]))
        else:
            yield _entry(source, path, item)
            if item.is_dir(follow_symlinks=False):
                yield from _walk(source, f"{path}/", reasons, left_out)


def _entry(source: Path, path: str, item: os.DirEntry[str]) -> Entry:
    if problem := path_problem(path):
        refuse_source(f"{source}: {problem} (or not UTF-8): {shown(path)}", "rename it, then build again")
    if path == NAME:
        refuse_source(f"{source / path}: the build writes this file itself", "remove or rename it, then build again")
    mode = item.stat(follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        target = os.readlink(item.path)  # noqa: PTH115 - Path.readlink rewrites the target
        return {"path": path, "type": "link", "mode": "0777", "target": target}
    if stat.S_ISDIR(mode):
        return {"path": path, "type": "dir", "mode": "0755"}
    if not stat.S_ISREG(mode):
        refuse_source(
            f"{source / path}: not a file, a directory or a link (a socket, pipe or device)",
            "remove it, or put its directory in `scratch`",
        )
    size, digest = _digest(source / path)
    return {
        "path": path,
        "type": "file",
        "mode": "0755" if mode & 0o100 else "0644",
        "size": size,
        "sha256": digest,
    }


def _digest(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                digest.update(piece)
                size += len(piece)
    except OSError as exc:
        refuse_source(f"{path}: {exc.strerror}", "make it readable, then build again")
    return size, digest.hexdigest()


def _check_promises(source: Path, contract: Contract, entries: dict[str, Entry]) -> None:
    """Refuse a contract that names what the tree does not have."""
    where = source / "release.yml"
    for key, command in contract.commands().items():
        entry = entries.get(command[0])
        if "/" in command[0] and entry is None:
            refuse_source(f"{where}: {key}: the release has no {command[0]}", "correct the command, or add the file")
        if entry and entry["type"] == "file" and entry["mode"] != "0755":
            refuse_source(f"{where}: {key}: {command[0]} is not executable", f"chmod +x {source / command[0]}")
    if (client := contract.client) and (directory := client.directory):
        page = f"{directory}/{client.otherwise}"
        if entries.get(directory, {}).get("type") != "dir":
            refuse_source(f"{where}: client: the release has no directory {directory}", "build the client first")
        if client.otherwise != "app" and page not in entries:
            refuse_source(f"{where}: client: {directory} has no {client.otherwise}", "build the client first")
    vendored_gems.check(source, contract, entries)
