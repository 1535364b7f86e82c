"""What a release says of itself, in words: the sections of its CHANGELOG.md between two versions."""

from __future__ import annotations

import re
from pathlib import Path

from filae_ops.agent.bundle import archive
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.plain_file import open_below
from filae_ops.agent.system.versions import is_version, version_key

NAME = "CHANGELOG.md"
MAX_FILE = 1024 * 1024
MAX_LINES = 80
MAX_COLUMNS = 400
_HEADING = re.compile(r"^#{1,4}\s*\[?(?:[Vv]ersion\s+|v)?(\d[0-9A-Za-z.-]*)\]?(?=\s|$|:|,|\()")
_ANY_HEADING = re.compile(r"^#{1,2}\s")


def of_bundle(bundle: Path, after: str, upto: str) -> list[str]:
    """Return the sections of a bundle's changelog above `after` (nothing: that of `upto` alone) up to `upto`."""
    try:
        return sections(archive.read_file(bundle, NAME, MAX_FILE), after, upto)
    except Refused:  # words for people: the bundle itself was checked before
        return []


def of_release(tree: Path, after: str, upto: str) -> list[str]:
    """Return the same of a release that is on the machine."""
    try:
        with open_below(tree, NAME) as stream:
            return sections(stream.read(MAX_FILE), after, upto)
    except OSError:
        return []


def sections(data: bytes, after: str, upto: str) -> list[str]:
    """Return the lines of the sections wanted: bounded in number and length."""
    lines: list[str] = []
    wanted = False
    for text in data.decode("utf-8", "replace").splitlines():
        heading = _HEADING.match(text)
        if heading and is_version(heading[1]):
            wanted = _between(heading[1], after, upto)
        elif _ANY_HEADING.match(text):
            wanted = False
        if wanted:
            lines.append(text[:MAX_COLUMNS].rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return [*lines[:MAX_LINES], f"… and {len(lines) - MAX_LINES} lines more"] if len(lines) > MAX_LINES else lines


def _between(version: str, after: str, upto: str) -> bool:
    if not after:
        return version_key(version) == version_key(upto)
    return version_key(after) < version_key(version) <= version_key(upto)
