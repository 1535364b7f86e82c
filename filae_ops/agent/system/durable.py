"""Writes that survive a power cut: write, fsync, rename, fsync of the directory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make the names of a directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, data: str | bytes, mode: int = 0o644, owner: tuple[int, int] | None = None) -> bool:
    """Replace a file as one gesture; False when it already says this."""
    content = data.encode() if isinstance(data, str) else data
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return False
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        if owner:
            os.fchown(stream.fileno(), *owner)
        os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
    sync_directory(path.parent)
    return True


def link(path: Path, target: Path | str) -> None:
    """Point a symbolic link somewhere as one gesture."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.rename(path)
    sync_directory(path.parent)


def remove(path: Path) -> None:
    """Remove a file, link or tree that may be absent."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_directory(path.parent)


def directory(path: Path, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Make a directory (its parents exist) with this mode and owner."""
    path.mkdir(exist_ok=True)
    if owner:
        os.chown(path, *owner)
    path.chmod(mode)
    sync_directory(path.parent)
