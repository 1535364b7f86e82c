"""Build and sign a release bundle from a source tree that states `release.yml`."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filae_ops.agent.bundle.archive import check
from filae_ops.agent.bundle.contract_agreement import within
from filae_ops.agent.bundle.manifest import parse_manifest
from filae_ops.agent.bundle.signature import NAMESPACE
from filae_ops.agent.system.errors import Refused
from filae_ops.bundle.contract import Contract
from filae_ops.bundle.pack import manifest_bytes, release_time, write_archive
from filae_ops.bundle.release_yml import FILE_NAME, load_contract
from filae_ops.bundle.source_tree import Tree, refuse_source, scan
from filae_ops.errors import OpsError


@dataclass(frozen=True)
class Built:
    """A bundle that was written."""

    bundle: Path
    signature: Path | None
    name: str
    version: str
    sha256: str
    size: int
    files: int
    left_out: list[tuple[str, str]]


def build(source: Path, output: Path, key: Path | None = None) -> Built:
    """Write `NAME-VERSION.tar.zst` in `output`, with its `.sig` when there is a key; all or nothing."""
    if not source.is_dir():
        refuse_source(f"{source}: not a directory", "give the directory that holds release.yml")
    contract = load_contract(source / FILE_NAME)
    _check_output(source, output, contract)
    tree = scan(source, contract)
    mtime = release_time(tree)
    manifest = manifest_bytes(contract, tree, mtime)
    try:
        parse_manifest(manifest)
    except Refused as exc:
        raise OpsError(f"{source}: {exc.message}", next_step="change it in the source, then build again") from exc
    bundle = output / f"{contract.name}-{contract.version}.tar.zst"
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".build-", dir=output) as work:
            draft = Path(work, bundle.name)
            _write(draft, source, tree, manifest, mtime)
            signature = _sign(draft, key) if key else None
            _publish(draft, signature, bundle)
    except OSError as exc:
        raise OpsError(f"{exc.filename or output}: {exc.strerror}", next_step="free or allow the place") from exc
    return _built(bundle, signature is not None, contract, len(tree.entries), tree.left_out)


def _write(draft: Path, source: Path, tree: Tree, manifest: bytes, mtime: int) -> None:
    """Write the archive, then read it back as the machine will."""
    with draft.open("wb") as stream:
        write_archive(source, tree, manifest, mtime, stream)
        os.fsync(stream.fileno())
    try:
        check(draft)
    except Refused as exc:
        raise OpsError(exc.message, next_step="build again: the source or the disk changed") from exc


def _check_output(source: Path, output: Path, contract: Contract) -> None:
    here, root = output.resolve(), source.resolve()
    if here == root or root in here.parents:
        inside = here.relative_to(root).as_posix()
        if not any(within(inside, path) for path in contract.scratch):
            refuse_source(f"{output}: inside {source}: each bundle would hold the one before", "give another -o")


def _sign(draft: Path, key: Path) -> Path:
    if not key.is_file():
        refuse_source(f"{key}: no such key", "ssh-keygen -t ed25519 -f KEY, or give the right path")
    argv = ["ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), str(draft)]
    try:
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    except OSError as exc:
        refuse_source(f"ssh-keygen cannot be run: {exc.strerror}", "apt install openssh-client")
    signature = Path(f"{draft}.sig")
    if done.returncode != 0 or not signature.is_file():
        reason = " ".join(done.stderr.split())[:400] or "no reason given"
        refuse_source(f"{key}: ssh-keygen did not sign: {reason}", "give an SSH private key that you can use")
    with signature.open("rb") as stream:
        os.fsync(stream.fileno())
    return signature


def _publish(draft: Path, signature: Path | None, bundle: Path) -> None:
    """Put both files in place; an old signature never stays beside a new bundle."""
    place = Path(f"{bundle}.sig")
    place.unlink(missing_ok=True)
    draft.chmod(0o644)
    draft.replace(bundle)
    if signature:
        signature.chmod(0o644)
        signature.replace(place)
    directory = os.open(bundle.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _built(bundle: Path, signed: bool, contract: Contract, files: int, left_out: list[tuple[str, str]]) -> Built:
    with bundle.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    signature = Path(f"{bundle}.sig") if signed else None
    size = bundle.stat().st_size
    return Built(bundle, signature, contract.name, contract.version, digest, size, files, left_out)
