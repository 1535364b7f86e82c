"""Order of the versions of an application: dotted numbers, with an optional pre-release."""

from __future__ import annotations

import re

MAX_LENGTH = 64
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_WORD = rf"(?:{_NUMBER}|[0-9]*[a-z][0-9a-z]*)"
_VERSION = re.compile(rf"({_NUMBER}(?:\.{_NUMBER}){{1,3}})(?:-({_WORD}(?:\.{_WORD})*))?", re.ASCII)

VersionKey = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...], int]


def version_key(version: str) -> VersionKey:
    """Return a key that sorts versions; ValueError when `version` is not one.

    `2.1.0-rc.1` comes before `2.1.0`; numbers compare as numbers. Two versions that are written differently
    never have the same key, so that a release directory has one rank: `2.1` comes just before `2.1.0`.
    """
    match = _VERSION.fullmatch(version) if len(version) <= MAX_LENGTH else None
    if match is None:
        raise ValueError(f"{version[:80]!r} is not a version such as 2.1.0 or 2.1.0-rc.1")
    numbers = tuple(int(part) for part in match[1].split("."))
    words = match[2].split(".") if match[2] else []
    pre = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words)
    return (numbers + (0,) * (4 - len(numbers)), 0 if pre else 1, pre, len(numbers))


def is_version(version: object) -> bool:
    """Tell whether this is a version that can be ordered (and is safe as the name of a directory)."""
    if not isinstance(version, str):
        return False
    try:
        version_key(version)
    except ValueError:
        return False
    return True
