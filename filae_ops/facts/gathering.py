"""The frame of a gathering: each part is one function, bounded in time, that changes nothing."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

Expected = Mapping[str, Any]
Part = Callable[[Expected], Any]
PARTS: dict[str, Part] = {}
_ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}


class Unmeasured(Exception):  # noqa: N818  # it is an answer
    """A fact that could not be read, and why."""


def part(function: Part) -> Part:
    """Register a function whose result is the fact of its name."""
    PARTS[function.__name__] = function
    return function


def command(*argv: str, seconds: float = 30, statuses: tuple[int, ...] = (0,), text: str | None = None) -> str:
    """Run a command that only reads, and return its output; any other status means that nothing was measured."""
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, errors="replace", timeout=seconds, env=_ENV, cwd="/"
        )
    except FileNotFoundError:
        raise Unmeasured(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Unmeasured(f"{argv[0]} gave no answer in {seconds:.0f} s") from None
    if done.returncode not in statuses:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise Unmeasured(f"{argv[0]} ended with status {done.returncode}: {last[:200]}")
    return done.stdout


def read(path: str | Path) -> str:
    """Return a text file, or nothing when there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def open_plain(path: str) -> BufferedReader:
    """Open a regular file, whoever owns the directories above it: no link is followed, and nothing blocks."""
    handle = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        *parents, name = path.strip("/").split("/")
        for part, kind in (*((part, os.O_DIRECTORY) for part in parents), (name, 0)):
            inner = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | kind, dir_fd=handle)
            os.close(handle)
            handle = inner
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def gather(expected: Expected, seconds: float) -> dict[str, dict[str, Any]]:
    """Run every part side by side; what breaks or does not end says so, and hides nothing else."""
    found: dict[str, dict[str, Any]] = {}
    threads = [
        threading.Thread(target=_one, args=(name, function, expected, found), daemon=True)
        for name, function in PARTS.items()
    ]
    for thread in threads:
        thread.start()
    limit = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, limit - time.monotonic()))
    late = {"error": f"no answer in {seconds:.0f} s", "seconds": seconds}
    return {name: found.get(name, late) for name in PARTS}


def _one(name: str, function: Part, expected: Expected, found: dict[str, dict[str, Any]]) -> None:
    start = time.monotonic()
    try:
        result: dict[str, Any] = {"value": function(expected)}
    except Unmeasured as error:
        result = {"error": str(error)}
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    found[name] = result | {"seconds": round(time.monotonic() - start, 3)}


def as_root() -> bool:
    """Tell whether everything can be read."""
    return os.geteuid() == 0
