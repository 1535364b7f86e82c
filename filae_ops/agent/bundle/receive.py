"""Take a bundle and its signature in: from the controller over stdin, or from a file of this machine.

On stdin: a line of JSON, `{"bundle": BYTES, "signature": BYTES, "sha256": HEX}`, then both, nothing between.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from pathlib import Path
from typing import BinaryIO

from filae_ops.agent.bundle.signature import regular_file
from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine

MAX_BUNDLE = 4 * 1024**3
MAX_SIGNATURE = 64 * 1024
OLD = 86400.0
_SHA = re.compile("[0-9a-f]{64}")
_CHUNK = 1024 * 1024
_AGAIN = "send it again: filae-ops deploy"


def receive(machine: Machine, stream: BinaryIO) -> Path:
    """Store what comes on stdin, and return the bundle's path."""
    size, signature, digest = _header(stream)
    return _store(machine, stream, stream, size, signature, digest)


def take_in(machine: Machine, bundle: Path) -> Path:
    """Copy a bundle of this machine where only root writes, unless it came that way; return its path."""
    bundle = bundle.absolute()
    if bundle.parent == machine.layout.incoming:
        return bundle
    name = Path(f"{bundle}.sig")
    regular_file(bundle, "bundle", "give the path of the .tar.zst file")
    regular_file(name, "signature", f"bring {name.name} beside the bundle")
    with bundle.open("rb") as stream, name.open("rb") as signature:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        sizes = os.fstat(stream.fileno()).st_size, os.fstat(signature.fileno()).st_size
        _bounded(*sizes)
        return _store(machine, stream, signature, *sizes, digest)


def forget(machine: Machine, bundle: Path) -> None:
    """Remove a bundle that was taken in and will not be deployed; one that lies elsewhere is its owner's."""
    if bundle.absolute().parent == machine.layout.incoming:
        for path in (bundle, Path(f"{bundle}.sig")):
            path.unlink(missing_ok=True)


def _header(stream: BinaryIO) -> tuple[int, int, str]:
    line = stream.readline(1024)
    try:
        data = json.loads(line)
        size, signature, digest = data["bundle"], data["signature"], data["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("stdin does not begin with the line that announces a bundle", next_step=_AGAIN) from None
    if type(size) is not int or type(signature) is not int or not isinstance(digest, str) or not _SHA.fullmatch(digest):
        raise Refused("stdin announces sizes or a sha256 that are none", next_step=_AGAIN)
    _bounded(size, signature)
    return size, signature, digest


def _bounded(size: int, signature: int) -> None:
    if not 0 < size <= MAX_BUNDLE or not 0 < signature <= MAX_SIGNATURE:
        raise Refused(
            f"a bundle of {size} bytes, a signature of {signature}: at most {MAX_BUNDLE} and {MAX_SIGNATURE}",
            next_step="build the bundle again, or sign it again",
        )


def _store(machine: Machine, stream: BinaryIO, signed: BinaryIO, size: int, signature: int, digest: str) -> Path:
    place = machine.layout.incoming
    _forget_old(place)
    state = os.statvfs(place)
    if state.f_bavail * state.f_frsize < size + signature + 64 * 1024 * 1024:
        raise Refused(f"no room under {place} for {size} bytes", owner="dsi", next_step="enlarge the disk")
    # A name of its own: whoever is refused removes their own delivery, not another's of the same bundle.
    final = place / f"{digest[:16]}-{secrets.token_hex(4)}.tar.zst"
    partial = place / f".{digest}.{os.getpid()}.partial"
    try:
        if _write(stream, partial, size) != digest:
            raise Refused("the bundle was altered on its way: its sha256 is not the announced one", next_step=_AGAIN)
        partial.rename(final)
        _write(signed, partial, signature)
        partial.rename(Path(f"{final}.sig"))
    finally:
        partial.unlink(missing_ok=True)
    durable.sync_directory(place)
    return final


def _write(stream: BinaryIO, path: Path, size: int) -> str:
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as written:
        while size:
            piece = stream.read(min(size, _CHUNK))
            if not piece:
                raise Refused(f"the bundle ends {size} bytes too early", next_step=_AGAIN)
            size -= len(piece)
            digest.update(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest()


def _forget_old(place: Path) -> None:
    """Remove what was received more than a day ago; a transaction takes its bundle at once."""
    for path in place.iterdir():
        if time.time() - path.lstat().st_mtime > OLD:
            path.unlink(missing_ok=True)
