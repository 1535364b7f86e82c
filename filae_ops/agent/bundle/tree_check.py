"""Check a release that was extracted against its own MANIFEST.json: nothing altered, added or removed."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from filae_ops.agent.bundle.manifest import MAX_MANIFEST, NAME, Manifest, machine_links, parse_manifest, refuse
from filae_ops.agent.system.errors import Refused, system_errors

CHUNK = 256 * 1024
Entry = dict[str, Any]


def verify_tree(destination: Path, links: Mapping[str, str] | None = None) -> Manifest:
    """Check an extracted release against its MANIFEST.json, and return it.

    Beside the manifest's entries there may be the machine's own: `Gemfile.lock` with `gems: debian`, and a
    link at each path of `files` and `scratch` (given `links`: exactly these, path to target, all of them).
    """
    with system_errors(destination):
        manifest = manifest_of(destination)
        expected = {entry["path"]: entry for entry in manifest["files"]}
        found = dict(_walk(destination, ""))
        if missing := sorted(set(expected) - set(found)) + sorted(set(links or {}) - set(found)):
            _altered(destination / missing[0], "is missing")
        for name, state in found.items():
            _verify_owner(destination / name, state)
            if name in expected:
                _verify_entry(destination / name, state, expected[name])
            else:
                _verify_extra(destination, name, state, manifest["contract"], links)
        return manifest


def manifest_of(destination: Path) -> Manifest:
    """Read the MANIFEST.json of an extracted release, its rules checked; the tree is not looked at."""
    path = destination / NAME
    with system_errors(path):
        if not stat.S_ISREG(path.lstat().st_mode) or path.lstat().st_size > MAX_MANIFEST:
            refuse(f"{path}: not a manifest")
        return parse_manifest(path.read_bytes())


def _walk(root: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(root / prefix) as found:
        for item in found:
            name = f"{prefix}{item.name}"
            yield name, item.stat(follow_symlinks=False)
            if item.is_dir(follow_symlinks=False):
                yield from _walk(root, f"{name}/")


def _altered(path: Path, problem: str) -> NoReturn:
    raise Refused(
        f"{path}: {problem}: the release is not the one that was signed",
        next_step="find out who wrote there (journalctl, auditd), then deploy the version again",
    )


def _verify_owner(path: Path, state: os.stat_result) -> None:
    if state.st_uid != os.geteuid():
        _altered(path, f"owned by user {state.st_uid}")


def _verify_entry(path: Path, state: os.stat_result, entry: Entry) -> None:
    kinds = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "link": stat.S_IFLNK}
    if stat.S_IFMT(state.st_mode) != kinds[entry["type"]]:
        _altered(path, f"is no longer a {entry['type']}")
    if stat.S_IMODE(state.st_mode) != int(entry["mode"], 8):
        _altered(path, f"has mode {stat.S_IMODE(state.st_mode):04o} instead of {entry['mode']}")
    if entry["type"] == "link" and _target(path) != entry["target"]:
        _altered(path, "leads elsewhere")
    if entry["type"] == "file" and (state.st_size != entry["size"] or _sha256(path) != entry["sha256"]):
        _altered(path, "has other content")


def _target(path: Path) -> str:
    return os.readlink(path)  # noqa: PTH115 - Path.readlink rewrites the target


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _verify_extra(
    destination: Path, name: str, state: os.stat_result, contract: Entry, links: Mapping[str, str] | None
) -> None:
    path = destination / name
    if name == NAME or (name == "Gemfile.lock" and contract["gems"] == "debian"):
        if not stat.S_ISREG(state.st_mode) or state.st_mode & 0o022:
            _altered(path, "is not a file that root alone writes")
    elif name not in machine_links(contract):
        _altered(path, "is not in the manifest")
    elif not stat.S_ISLNK(state.st_mode) or (links is not None and links.get(name) != _target(path)):
        _altered(path, "is not the link that the agent makes")
