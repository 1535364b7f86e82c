"""The bytes of a bundle: a tar in our dialect through zstd, the same bytes for the same source."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any, BinaryIO, cast

from filae_ops import __version__
from filae_ops.agent.bundle.manifest import FORMAT, NAME
from filae_ops.agent.bundle.tar import BLOCK, Member, header
from filae_ops.bundle.contract import Contract
from filae_ops.bundle.source_tree import Entry, Tree, refuse_source

# One level and one worker, so that the bytes depend on zstd's version alone; the content's checksum is kept.
ZSTD = ["zstd", "-q", "-10", "-T1", "--check", "-c"]
EPOCH = 1_000_000_000
_CHUNK = 256 * 1024


def manifest_bytes(contract: Contract, tree: Tree, mtime: int) -> bytes:
    """Return MANIFEST.json."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "contract": contract.compiled(),
        "files": tree.entries,
        "built": {"by": f"filae-ops {__version__}", "mtime": mtime},
    }
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def release_time(tree: Tree) -> int:
    """Return the one time of all the members: SOURCE_DATE_EPOCH, or a past time drawn from the content.

    The same source gives the same bytes. On the machine the files have the time of their extraction.
    """
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    if stated:
        if not (stated.isascii() and stated.isdigit() and int(stated[:12]) < 2**33):
            refuse_source(f"SOURCE_DATE_EPOCH: {stated[:40]!r} is not a time", "unset it, or give seconds since 1970")
        return int(stated)
    content = json.dumps(tree.entries, sort_keys=True).encode()
    return EPOCH + int.from_bytes(hashlib.sha256(content).digest()[:4], "big") % 2**28


def write_archive(source: Path, tree: Tree, manifest: bytes, mtime: int, output: BinaryIO) -> None:
    """Write the compressed archive; refuses a source that changes meanwhile."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZSTD_")}
    try:
        process = subprocess.Popen(ZSTD, stdin=subprocess.PIPE, stdout=output, env=environment)
    except OSError as exc:
        refuse_source(f"zstd cannot be run: {exc.strerror}", "apt install zstd")
    with process:
        stream = cast(BinaryIO, process.stdin)
        try:
            with contextlib.suppress(BrokenPipeError):
                _write_members(source, tree, manifest, mtime, stream)
        except BaseException:
            process.kill()
            raise
        finally:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    if process.returncode != 0:
        refuse_source("zstd could not write the bundle", "look at its message above (disk full?), then build again")


def _write_members(source: Path, tree: Tree, manifest: bytes, mtime: int, stream: BinaryIO) -> None:
    stream.write(header(Member(NAME, "file", 0o644, len(manifest), "", mtime)))
    stream.write(manifest + bytes(-len(manifest) % BLOCK))
    for entry in tree.entries:
        size, target = entry.get("size", 0), entry.get("target", "")
        stream.write(header(Member(entry["path"], entry["type"], int(entry["mode"], 8), size, target, mtime)))
        if entry["type"] == "file":
            _write_content(source, entry, stream)
            stream.write(bytes(-size % BLOCK))
    stream.write(bytes(2 * BLOCK))


def _write_content(source: Path, entry: Entry, stream: BinaryIO) -> None:
    digest, left = hashlib.sha256(), entry["size"]
    with (source / entry["path"]).open("rb") as content:
        while piece := content.read(min(left, _CHUNK)):
            digest.update(piece)
            stream.write(piece)
            left -= len(piece)
        grown = content.read(1)
    if left or grown or digest.hexdigest() != entry["sha256"]:
        refuse_source(f"{source / entry['path']}: changed during the build", "build again when nothing writes there")
