"""Files that root reads where another user writes: no link is followed, nothing blocks, only a regular file opens."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def open_below(top: Path, path: Path | str) -> BufferedReader:
    """Open a regular file below a directory that only root can rename; OSError for a link, a pipe, a device.

    A pipe or a device would block whoever opens or reads it, or act on the machine.
    """
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        raise OSError(errno.EXDEV, "is no path below its directory", str(top / path))
    handle = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            handle = _step(handle, part, os.O_DIRECTORY)
        handle = _step(handle, parts[-1])
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(top / path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def open_leading_into(top: Path, path: Path) -> BufferedReader:
    """Open the regular file that a path leads to over the links that are there now; OSError when it leads out of `top`.

    What becomes a link after it was looked at is not followed.
    """
    whole, real = top.resolve(), path.resolve(strict=True)
    if not real.is_relative_to(whole):
        raise OSError(errno.EXDEV, f"leads out of {top}", str(path))
    return open_below(whole, real.relative_to(whole))


def _step(handle: int, name: str, flags: int = 0) -> int:
    """Open what has this name in a directory, in the place of the directory's descriptor."""
    inner = os.open(name, _NO_LINK | flags, dir_fd=handle)
    os.close(handle)
    return inner
