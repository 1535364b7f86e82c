"""Writes that survive a power cut: write, fsync, rename, fsync of the directory.

They go by path, in directories that only root writes; `directories` alone also works where another user does.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Runner

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY
# How opening a directory says that it is none, or that it was renamed away since it was made.
_NO_DIRECTORY = (errno.ENOTDIR, errno.ELOOP, errno.ENOENT)
# How removing a tree says that Python holds a descriptor, or a name, for each level of it.
_TOO_DEEP = (errno.EMFILE, errno.ENAMETOOLONG)


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
    """Point a symbolic link somewhere as one gesture; no other name is used where there is none yet."""
    if os.path.lexists(path):
        temporary = path.with_name(f".{path.name}.new")
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(target)
        temporary.rename(path)
    else:
        path.symlink_to(target)
    sync_directory(path.parent)


def remove(path: Path) -> None:
    """Remove a file, link or tree that may be absent."""
    if path.is_dir() and not path.is_symlink():
        _remove_tree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.is_dir():
        sync_directory(path.parent)


def _remove_tree(path: Path) -> None:
    """Remove a tree of whatever depth: the application makes those of its scratch."""
    try:
        shutil.rmtree(path)
    except (RecursionError, OSError) as exc:
        if isinstance(exc, OSError) and exc.errno not in _TOO_DEEP:
            raise
        Runner().must(["rm", "-rf", "--one-file-system", "--", str(path)], timeout=600)


def directory(path: Path, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Make a directory, in one that only root writes, with this mode and owner; a link there is not followed."""
    directories(path, (), mode, owner)


def directories(top: Path, below: Iterable[str], mode: int, owner: tuple[int, int] | None = None) -> None:
    """Make a directory, in one that only root writes, and these paths below it, all with this mode and owner.

    Who owns `top` since an earlier time may rename what is in it meanwhile: every part is reached from the one above
    it by descriptor, no link is followed, and what is no directory is removed. Owners are given last, deepest first.
    """
    with contextlib.ExitStack() as stack:
        parent = _held(stack, os.open(top.parent, _DIRECTORY))
        made = {Path(): _held(stack, _top(parent, top))}
        for path in below:
            for place in reversed([Path(path), *Path(path).parents][:-1]):
                if place not in made:
                    made[place] = _held(stack, _below(made[place.parent], place.name, top / place))
        for handle in reversed(made.values()):
            os.fchmod(handle, mode)
            if owner:
                os.fchown(handle, *owner)
            os.fsync(handle)
        os.fsync(parent)


def _held(stack: contextlib.ExitStack, handle: int) -> int:
    stack.callback(os.close, handle)
    return handle


def _make(parent: int, name: str) -> int:
    """Open a directory, made if it is not there."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
    return os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _top(parent: int, path: Path) -> int:
    try:
        return _make(parent, path.name)
    except OSError as exc:
        if exc.errno not in _NO_DIRECTORY:
            raise
        raise Refused(
            f"{path} is a link or a file, and must be a directory",
            next_step=f"as root: ls -l {path}; put a directory (or mount a disk) there, then try again",
        ) from exc


def _below(parent: int, name: str, place: Path) -> int:
    """Make a directory where another user may put something else at any time: that is removed, once."""
    for _ in range(2):
        try:
            return _make(parent, name)
        except OSError as exc:
            if exc.errno not in _NO_DIRECTORY:
                raise
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            os.unlink(name, dir_fd=parent)
    raise Refused(
        f"{place} is replaced by a link or a file while root makes it: a process of the application does that, "
        "no operator",
        next_step="stop what runs as its user (ps -u filae), examine the release, then deploy again",
    )
