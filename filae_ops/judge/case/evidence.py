"""The files that an inventory refers to, read once: the judge's only look at the disk."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filae_ops.errors import OpsError
from filae_ops.judge.case.proof_files import KEYS
from filae_ops.judge.case.tree import Tree, declared
from filae_ops.judge.case.verdict import EvidenceFile

BLOCK = 1024 * 1024
"""Bytes read at once, whatever the size of the file."""
PEM_BYTES = 256 * 1024
"""No certificate and its chain is larger."""
LARGEST = 256 * 1024 * 1024
"""Bytes of a document at most: a scan of a contract is far smaller, and a review must end."""
_OWN = ("hosts.yml", "secrets.yml", "group_vars", ".filae", ".git")
"""What the inventory itself is made of: a declaration proves nothing about itself."""
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


def read_evidence(directory: Path, tree: Tree) -> Mapping[str, EvidenceFile]:
    """Return every file that the inventory refers to, by its declared path, with its hash or what is wrong with it.

    Links are resolved first: a file that is outside of `directory` is not read. OpsError when it may not be read.
    """
    root = directory.resolve()
    return {path: _read(root, path) for path in dict.fromkeys(declared_paths(tree))}


def declared_paths(tree: Any) -> Iterator[str]:
    """Yield every path that a declared tree refers to, in its order."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if key in KEYS and isinstance(value, str):
                yield value
            else:
                yield from declared_paths(value)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from declared_paths(value)


def certificate_ends(directory: Path, tree: Tree, evidence: Mapping[str, EvidenceFile]) -> Mapping[str, dt.date]:
    """Return the last day of the server's certificate by its declared path; one that cannot be read is left out."""
    path = declared(tree, "tls.certificate")
    if path is None or path not in evidence or evidence[path].problem:
        return {}
    from cryptography import x509

    with (directory / path).open("rb") as file:
        content = file.read(PEM_BYTES)
    try:
        return {path: x509.load_pem_x509_certificates(content)[0].not_valid_after_utc.date()}
    except ValueError:
        return {}


def _read(root: Path, path: str) -> EvidenceFile:
    try:
        place = (root / path).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a null character
        return EvidenceFile(path, problem="absent")
    if not place.is_relative_to(root):
        return EvidenceFile(path, problem="outside")
    if place.relative_to(root).parts[:1] in [(name,) for name in _OWN]:
        return EvidenceFile(path, problem="inventory")
    try:
        return _hash(path, place)
    except OSError as error:
        if error.errno in _ABSENT:
            return EvidenceFile(path, problem="absent")
        if error.errno == errno.ENXIO:  # a socket
            return EvidenceFile(path, problem="not_a_file")
        raise OpsError(
            f"{place}: not readable: {error.strerror}", next_step=f"take the right to read it: chmod u+r {place}"
        ) from None


def _hash(path: str, place: Path) -> EvidenceFile:
    # Not followed and not waited for: what was resolved may have become a link or a pipe since.
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return EvidenceFile(path, problem="not_a_file")
        if about.st_size > LARGEST:
            return EvidenceFile(path, size=about.st_size, problem="too_large")
        digest, total, blank = hashlib.sha256(), 0, True
        while block := os.read(handle, BLOCK):
            digest.update(block)
            total += len(block)
            blank = blank and not block.strip()
    finally:
        os.close(handle)
    return EvidenceFile(path, problem="empty") if blank else EvidenceFile(path, digest.hexdigest(), total)
