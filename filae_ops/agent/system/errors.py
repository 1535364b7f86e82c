"""The one exception of expected refusals on the machine."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path


class Refused(Exception):  # noqa: N818 - a refusal is not an error
    """What is refused and with which value, who must act, and the next command.

    `owner` is one of the register's owners: dsi, provider, host, dpo, shared.
    """

    def __init__(self, message: str, owner: str = "provider", next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.owner = owner
        self.next_step = next_step

    def __str__(self) -> str:
        """Return the whole message as the person reads it."""
        text = f"{self.message}\n  who acts: {self.owner}"
        return f"{text}\n  next: {self.next_step}" if self.next_step else text


@contextlib.contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """Turn the system's errors (disk full, no right, no such file) into `Refused`."""
    try:
        yield
    except OSError as exc:
        where = exc.filename if isinstance(exc.filename, str) else path
        owner, step = "provider", "repair this on the machine, then try again"
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            owner, step = "dsi", "enlarge the disk, or look for what fills it: du -xh / | sort -h | tail"
        raise Refused(f"{where}: {exc.strerror or exc}", owner, step) from exc
