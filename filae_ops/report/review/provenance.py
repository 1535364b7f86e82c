"""Which inventory was reviewed: its commit when it lies in a repository, and whether it was changed since."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 10


@dataclass(frozen=True)
class Provenance:
    """Where an inventory comes from."""

    sha256: str
    """Fingerprint of the files read."""
    commit: str = ""
    """Full name of the commit that holds it; empty when none does."""
    modified: bool = False
    """The files on disk are not those of the commit."""


def provenance(directory: Path, fingerprint: str) -> Provenance:
    """Return the commit that holds an inventory; no repository, or no git, is no error.

    Only objects are read and compared with the files: `git status` would run filters that a repository names.
    """
    commit = _git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
    prefix = _git(directory, "rev-parse", "--show-prefix")
    if not commit or prefix is None:
        return Provenance(fingerprint)
    inside = os.fsdecode(prefix).strip().rstrip("/")
    tree = os.fsdecode(commit).strip() + (f":{inside}" if inside else "")
    listing = _git(directory, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
    if not listing:
        return Provenance(fingerprint)
    held = {os.fsdecode(name): about.split()[2].decode() for about, _, name in _rows(listing)}
    digest = "sha256" if len(next(iter(held.values()))) == 64 else "sha1"
    return Provenance(fingerprint, os.fsdecode(commit).strip(), modified=held != dict(_files(directory, digest)))


def _rows(listing: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    return (row.partition(b"\t") for row in listing.split(b"\0") if row)


def _files(directory: Path, digest: str) -> Iterator[tuple[str, str]]:
    """Return every file of a folder with the name that git gives to its content."""
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*names, *(each for each in folders if Path(folder, each).is_symlink())]:
            path = Path(folder, name)
            yield str(path.relative_to(directory)), _blob(path, digest)


def _blob(path: Path, digest: str) -> str:
    """Return the name that git gives to a file's content; nothing for what cannot be read."""
    try:
        if not path.is_symlink() and not path.is_file():
            return ""
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    except OSError:
        return ""
    return hashlib.new(digest, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _git(directory: Path, *words: str) -> bytes | None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    ours = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
    settings = (
        "core.fsmonitor=false",
        "core.hooksPath=/dev/null",
        "protocol.allow=never",
        "safe.bareRepository=explicit",
    )
    argv = ["git", "--no-pager", *(word for setting in settings for word in ("-c", setting)), "-C", str(directory)]
    try:
        done = subprocess.run([*argv, *words], capture_output=True, timeout=TIMEOUT, check=False, env={**kept, **ours})
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
