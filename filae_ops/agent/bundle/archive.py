"""Check a release bundle as a stream, and extract it.

Whatever the bytes, the outcome is a manifest or `Refused`: nothing else is raised, nothing is written outside
of the destination, and no more is read than the manifest (bounded itself) declares.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from filae_ops.agent.bundle.manifest import MAX_MANIFEST, NAME, Manifest, parse_manifest, refuse
from filae_ops.agent.bundle.signature import NAMESPACE, check_signature, regular_file
from filae_ops.agent.bundle.tar import Member, TarReader
from filae_ops.agent.bundle.tree_check import verify_tree
from filae_ops.agent.system.errors import Refused, system_errors

__all__ = ["NAMESPACE", "check", "check_signature", "extract", "read_file", "read_manifest", "verify_tree"]

Entry = dict[str, Any]


def read_manifest(bundle: Path) -> Manifest:
    """Return the manifest alone, its rules checked; the rest of the bundle is not read."""
    with system_errors(bundle), _decompressed(bundle, whole=False) as stream:
        return _first(TarReader(stream))[0]


def read_file(bundle: Path, path: str, limit: int) -> bytes:
    """Return the first bytes of one file of a bundle, or nothing when it has none of that name."""
    with system_errors(bundle), _decompressed(bundle, whole=False) as stream:
        reader = TarReader(stream)
        for entry, pieces in _members(reader, _first(reader)[0]):
            if entry["path"] == path:
                return b"".join(pieces)[:limit] if entry["type"] == "file" and entry["size"] <= limit else b""
        return b""


def check(bundle: Path) -> Manifest:
    """Compare every member with the manifest, without writing anything, and return the manifest."""
    with system_errors(bundle), _decompressed(bundle) as stream:
        reader = TarReader(stream)
        manifest, _ = _first(reader)
        for entry, pieces in _members(reader, manifest):
            if entry["type"] == "file":
                _copy(pieces, entry, None)
        return manifest


def extract(bundle: Path, destination: Path) -> Manifest:
    """Extract into `destination`, which must not exist, checking as it goes; on failure nothing is left.

    Owners are the caller's (root), modes are the manifest's, and everything is on the disk when this returns.
    All have the time of the extraction: older than the gems' own files, an asset manifest would be out of date
    for its application, which would compile into a tree that is read-only; and the next release has another.
    """
    with system_errors(destination):
        try:
            destination.mkdir(mode=0o700)
        except FileExistsError:
            refuse(f"{destination} exists already")
        try:
            with _decompressed(bundle) as stream:
                reader = TarReader(stream)
                manifest, raw = _first(reader)
                _write_all(reader, manifest, raw, destination)
            _finish(manifest, destination)
        except BaseException:
            shutil.rmtree(destination, ignore_errors=True)
            raise
        return manifest


@contextlib.contextmanager
def _decompressed(bundle: Path, *, whole: bool = True) -> Iterator[BinaryIO]:
    """Give the decompressed bytes; at the end zstd must have read and found good the whole file."""
    regular_file(bundle, "bundle", "give the path of the .tar.zst file")
    argv = ["zstd", "-d", "-c", "-q", "--memory=128MB"]
    with bundle.open("rb") as source:
        process = subprocess.Popen(
            argv,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )
    with process:
        stream, errors = cast(BinaryIO, process.stdout), cast(BinaryIO, process.stderr)
        try:
            yield stream
            stream.close()
            status = process.wait() if whole else 0
        except Refused as exc:
            stream.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                if process.wait(timeout=5) > 0:
                    refuse(f"{bundle}: damaged: {_words(errors)} ({exc.message})")
            raise
        finally:
            process.kill()
        if status != 0:
            refuse(f"{bundle}: damaged: {_words(errors)}")


def _words(errors: BinaryIO) -> str:
    text = errors.read(2000).decode("utf-8", "replace")
    return " ".join(text.replace("/*stdin*\\", "zstd").split())[:200] or "zstd gave no reason"


def _first(reader: TarReader) -> tuple[Manifest, bytes]:
    member = reader.next()
    if member is None or member.path != NAME or member.kind != "file":
        refuse(f"archive: {NAME} is not its first member")
    if member.size > MAX_MANIFEST or member.mode != 0o644:
        refuse(f"archive: {NAME} is larger than {MAX_MANIFEST} bytes, or not of mode 0644")
    raw = b"".join(reader.content())
    manifest = parse_manifest(raw)
    if member.mtime != manifest["built"]["mtime"]:
        refuse(f"archive: {NAME} has another time than it states")
    return manifest, raw


def _members(reader: TarReader, manifest: Manifest) -> Iterator[tuple[Entry, Iterator[bytes]]]:
    """Give each entry of the manifest with the bytes of its member: same members, same order."""
    names = {entry["path"]: index for index, entry in enumerate(manifest["files"])}
    for index, entry in enumerate(manifest["files"]):
        member = reader.next()
        if member is None:
            refuse(f"archive: {entry['path']!r} is in the manifest and missing in the archive")
        if member.path != entry["path"]:
            _out_of_step(member.path, names.get(member.path, -1), index, entry["path"])
        _same(member, entry, manifest["built"]["mtime"])
        yield entry, reader.content()
    if (member := reader.next()) is not None:
        _out_of_step(member.path, names.get(member.path, -1), len(names), "")


def _out_of_step(path: str, known: int, index: int, wanted: str) -> NoReturn:
    if known < 0:
        refuse(f"archive: {path[:200]!r} is not in the manifest")
    if known < index:
        refuse(f"archive: {path[:200]!r} comes twice")
    refuse(f"archive: {wanted!r} is in the manifest and missing before {path[:200]!r}")


def _same(member: Member, entry: Entry, mtime: int) -> None:
    stated = Member(
        entry["path"],
        entry["type"],
        int(entry["mode"], 8),
        entry.get("size", 0),
        entry.get("target", ""),
        mtime,
    )
    for what in ("kind", "mode", "size", "target", "mtime"):
        if getattr(member, what) != getattr(stated, what):
            refuse(f"archive: {member.path!r}: its {what} is not the manifest's")


def _copy(pieces: Iterable[bytes], entry: Entry, stream: BinaryIO | None) -> None:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        if stream:
            stream.write(piece)
    if digest.hexdigest() != entry["sha256"]:
        refuse(f"archive: {entry['path']!r}: its sha256 is not the manifest's")


def _write_all(reader: TarReader, manifest: Manifest, raw: bytes, destination: Path) -> None:
    """Write each member; every parent is a directory made here, since the manifest's rules hold."""
    _create(destination / NAME, {"path": NAME, "mode": "0644", "sha256": hashlib.sha256(raw).hexdigest()}, [raw])
    for entry, pieces in _members(reader, manifest):
        path = destination / entry["path"]
        if entry["type"] == "dir":
            path.mkdir(mode=0o700)
        elif entry["type"] == "link":
            path.symlink_to(entry["target"])
        else:
            _create(path, entry, pieces)


def _create(path: Path, entry: Entry, pieces: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        _copy(pieces, entry, stream)
        os.fchmod(stream.fileno(), int(entry["mode"], 8))


def _finish(manifest: Manifest, destination: Path) -> None:
    """Set times and modes, children first, then force all of it to the disk."""
    now = int(time.time())
    entries: list[Entry] = [{"path": NAME, "type": "file"}, *manifest["files"]]
    for entry in reversed([{"path": "", "type": "dir"}, *entries]):
        path = destination / entry["path"]
        if entry["type"] == "dir":
            path.chmod(0o755)
        os.utime(path, (now, now), follow_symlinks=False)
    for entry in reversed(entries):
        if entry["type"] != "link":
            _sync(destination / entry["path"])
    _sync(destination)
    _sync(destination.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
