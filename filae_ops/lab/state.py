"""Where the lab keeps its state, which lab this is, and locks that die with their process."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from filae_ops.errors import OpsError
from filae_ops.paths import PACKAGE

HOME = Path(os.environ.get("FILAE_LAB_HOME", "/var/lib/filae-lab"))
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]|[a-z]")


def lab_id() -> str:
    """Return this lab's name: `$FILAE_LAB`, else one per checkout, so that two never meet."""
    given = os.environ.get("FILAE_LAB")
    return check_name(given) if given else "lab-" + hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:6]


def check_name(name: str) -> str:
    """Return a machine's or lab's name, or refuse it: it becomes a host name and a directory."""
    if not NAME.fullmatch(name):
        raise OpsError(
            f"{name!r} is not a machine name",
            next_step="use small letters, digits and dashes, such as `demo`",
            exit_code=2,
        )
    return name


def write_json(path: Path, data: Any) -> None:
    """Write a document that others read at any moment: they see it whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(data))
    partial.rename(path)


def documents(pattern: str, where: Path = HOME) -> dict[Path, Any]:
    """Return the documents of these names; one that is removed meanwhile is not there."""
    found = {}
    for path in sorted(where.glob(pattern)):
        with contextlib.suppress(FileNotFoundError):
            found[path] = json.loads(path.read_text())
    return found


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel frees it when the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_held(path: Path) -> bool:
    """Say whether a living process holds the lock on this file."""
    try:
        handle = path.open("r")
    except FileNotFoundError:
        return False
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def hold(path: Path) -> IO[str]:
    """Take the lock on a file for as long as what is returned lives; BlockingIOError when another process holds it."""
    handle = path.open("a")
    for _ in range(20):
        # Whoever asks `is_held` has it for an instant.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        time.sleep(0.05)
    raise BlockingIOError(f"{path} is held by another process")


def process_start(pid: int) -> str:
    """Return the kernel's start time of a process, empty when it is gone: tells a reused pid."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""
