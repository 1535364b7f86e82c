"""Byte code that Python made of packages' modules: made again, and compared, where it is younger than its package.

Sources: py3compile(1), PEP 3147, PEP 552.
"""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import marshal
import os
import re
import sys

from filae_ops.facts import package_files

HEADER = 16  # bytes before the code, PEP 552


def of_a_module(path: str) -> bool:
    """Tell whether a file is what Python makes of a package's module as it is."""
    match = re.fullmatch(r"(.*)/__pycache__/([^/]+)\.(cpython-\d+)(?:\.opt-([12]))?\.pyc", path)
    if not match or not package_files.packaged(source := f"{match[1]}/{match[2]}.py"):
        return False
    # Another Python's is not read by this one; what came with its package, was compiled then.
    return match[3] != sys.implementation.cache_tag or _came_with(path, source) or _same(path, source, match[4])


def _came_with(path: str, source: str) -> bool:
    """Tell whether it has not changed since its package came; by ctime, which no tool sets."""
    brought = package_files.brought_at(source)
    return brought is not None and os.stat(path).st_ctime < brought + package_files.AT_ONCE


def _same(path: str, source: str, optimised: str | None) -> bool:
    try:
        with open(path, "rb") as stream:
            made = marshal.loads(stream.read()[HEADER:])  # noqa: S302 - of a file that root alone wrote, read as root
        with open(source, "rb") as stream:
            return bool(made == compile(stream.read(), source, "exec", dont_inherit=True, optimize=int(optimised or 0)))
    except (OSError, ValueError, EOFError, TypeError, SyntaxError):
        return False
