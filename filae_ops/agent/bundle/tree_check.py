"""Check a release that was extracted against its own MANIFEST.json: nothing altered, added or removed."""

from __future__ import annotations

import hashlib
import math
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

from filae_ops.agent.bundle.manifest import MAX_MANIFEST, NAME, Manifest, machine_links, parse_manifest, refuse
from filae_ops.agent.system.errors import Refused, system_errors

CHUNK = 256 * 1024
Entry = dict[str, Any]
_TOP: Entry = {"path": "", "type": "dir", "mode": "0755"}


class Difference(NamedTuple):
    """A path of a release that is not as its manifest says, and in what."""

    kind: Literal["changed", "missing", "added"]
    path: str
    problem: str


class OutOfTime(Exception):  # noqa: N818 - no error: the rest was not looked at
    """The deadline has passed, and not all of a release was compared."""


def verify_tree(destination: Path, links: Mapping[str, str] | None = None) -> Manifest:
    """Check an extracted release against its MANIFEST.json, and return it.

    Beside the manifest's entries there may be the machine's own: `Gemfile.lock` with `gems: debian`, and a
    link at each path of `files` and `scratch` (given `links`: exactly these, path to target, all of them).
    """
    with system_errors(destination):
        manifest = manifest_of(destination)
        for difference in differences(destination, manifest, links):
            _altered(destination / difference.path, difference.problem)
        return manifest


def differences(
    destination: Path,
    manifest: Manifest,
    links: Mapping[str, str] | None = None,
    *,
    digests: Mapping[str, str] | None = None,
    deadline: float = math.inf,
) -> Iterator[Difference]:
    """Give what of an extracted release is not as its manifest says; OutOfTime once the deadline has passed.

    `digests`: those of the files that the machine writes beside the manifest's. What is in a directory that was added
    is not looked at: the directory alone is told.
    """
    expected = {entry["path"]: entry for entry in manifest["files"]}
    found = {"": destination.lstat()}
    for name, state in _walk(destination, "", expected):
        found[name] = state
        _in_time(deadline)
    for name in sorted(set(expected) - set(found)) + sorted({*(links or {}), *(digests or {})} - set(found)):
        yield Difference("missing", name, "is missing")
    for name, state in found.items():
        _in_time(deadline)
        path = destination / name
        if name in expected or not name:
            problem = _entry_problem(path, state, expected.get(name, _TOP))
        elif name == NAME or (name == "Gemfile.lock" and manifest["contract"]["gems"] == "debian"):
            problem = _written_problem(path, state, (digests or {}).get(name))
        elif name in machine_links(manifest["contract"]):
            problem = _link_problem(path, state, links, name)
        else:
            yield Difference("added", name, _owner_problem(state) or "is not in the manifest")
            continue
        if problem := _owner_problem(state) or problem:
            yield Difference("changed", name, problem)


def _in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise OutOfTime


def manifest_of(destination: Path) -> Manifest:
    """Read the MANIFEST.json of an extracted release, its rules checked; the tree is not looked at."""
    path = destination / NAME
    with system_errors(path):
        if not stat.S_ISREG(path.lstat().st_mode) or path.lstat().st_size > MAX_MANIFEST:
            refuse(f"{path}: not a manifest")
        return parse_manifest(path.read_bytes())


def _walk(root: Path, prefix: str, expected: Mapping[str, Entry]) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(root / prefix) as found:
        for item in found:
            name = f"{prefix}{item.name}"
            yield name, item.stat(follow_symlinks=False)
            if item.is_dir(follow_symlinks=False) and expected.get(name, {}).get("type") == "dir":
                yield from _walk(root, f"{name}/", expected)


def _altered(path: Path, problem: str) -> NoReturn:
    raise Refused(
        f"{path}: {problem}: the release is not the one that was signed",
        next_step="find out who wrote there (journalctl, auditd); filae-ops rollback, then deploy the version again",
    )


def _owner_problem(state: os.stat_result) -> str:
    if state.st_uid != os.geteuid():
        return f"owned by user {state.st_uid}"
    return "" if state.st_gid == os.getegid() else f"owned by group {state.st_gid}"


def _entry_problem(path: Path, state: os.stat_result, entry: Entry) -> str:
    kinds = {"file": stat.S_IFREG, "dir": stat.S_IFDIR, "link": stat.S_IFLNK}
    if stat.S_IFMT(state.st_mode) != kinds[entry["type"]]:
        return f"is no longer a {entry['type']}"
    if stat.S_IMODE(state.st_mode) != int(entry["mode"], 8):
        return f"has mode {stat.S_IMODE(state.st_mode):04o} instead of {entry['mode']}"
    if entry["type"] == "link" and _target(path) != entry["target"]:
        return "leads elsewhere"
    if entry["type"] == "file" and (state.st_size != entry["size"] or _sha256(path) != entry["sha256"]):
        return "has other content"
    return ""


def _target(path: Path) -> str:
    return os.readlink(path)  # noqa: PTH115 - Path.readlink rewrites the target


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _written_problem(path: Path, state: os.stat_result, digest: str | None) -> str:
    """Return what is wrong with a file that the machine wrote into the tree, as it recorded it."""
    if not stat.S_ISREG(state.st_mode) or stat.S_IMODE(state.st_mode) & ~0o644:
        return "is not a file that root alone writes"
    return "has other content" if digest is not None and _sha256(path) != digest else ""


def _link_problem(path: Path, state: os.stat_result, links: Mapping[str, str] | None, name: str) -> str:
    if not stat.S_ISLNK(state.st_mode) or (links is not None and links.get(name) != _target(path)):
        return "is not the link that the agent makes"
    return ""
