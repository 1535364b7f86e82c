"""The trees of the releases: staged aside, bound to the machine's directories, renamed whole, pruned."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from filae_ops.agent import archive, durable, units
from filae_ops.agent.contract import Contract, of_release
from filae_ops.agent.layout import APP_USER
from filae_ops.agent.machine import Machine
from filae_ops.agent.run import Failed, evidence_of

MAX_LOCK = 4 * 1024 * 1024


def staging(machine: Machine, version: str) -> Path:
    """Return where a release is put together before it has its name."""
    return machine.layout.releases / f".tmp-{version}"


def links(machine: Machine, contract: Contract) -> dict[str, str]:
    """Return the links of a release's tree to the machine's directories: path in the tree, target."""
    found = {e["path"]: str(machine.layout.files / e["name"]) for e in contract.files}
    scratch = machine.layout.scratch / contract.version
    return found | {path: str(scratch / path) for path in contract.scratch}


def stage(machine: Machine, bundle: Path, version: str) -> None:
    """Extract a bundle aside, bind and lock it, and give it its name."""
    tree = staging(machine, version)
    durable.remove(tree)
    durable.remove(machine.layout.release(version))
    archive.extract(bundle, tree)
    contract = of_release(tree)
    bind(machine, tree, contract)
    if contract.data.get("gems") == "debian" and (tree / "Gemfile").is_file():
        lock_gems(machine, tree, contract)
    durable.sync_directory(tree)
    tree.rename(machine.layout.release(version))
    durable.sync_directory(machine.layout.releases)


def bind(machine: Machine, tree: Path, contract: Contract) -> None:
    """Make the application's directories, and the links of the tree to them."""
    for entry in contract.files:
        durable.directory(machine.layout.files / entry["name"], 0o750, machine.app_ids)
    scratch = machine.layout.scratch / contract.version
    durable.directory(scratch, 0o750, machine.app_ids)
    for path in contract.scratch:
        place = scratch
        for part in Path(path).parts:
            place = place / part
            durable.directory(place, 0o750, machine.app_ids)
    for path, target in links(machine, contract).items():
        durable.link(tree / path, target)


def lock_gems(machine: Machine, tree: Path, contract: Contract) -> None:
    """Write Gemfile.lock from the gems that Debian installed here, as the application's user."""
    place = machine.layout.scratch / contract.version
    written = place / "Gemfile.lock"
    durable.remove(written)
    argv = units.oneoff_argv(
        "lock",
        ["/usr/bin/bundle", "lock", "--local", f"--lockfile={written}"],
        user=APP_USER,
        properties=[f"WorkingDirectory={tree}", f"ReadWritePaths={place}"],
        env={
            "BUNDLE_GEMFILE": str(tree / "Gemfile"),
            "BUNDLE_USER_HOME": "/tmp/bundle",  # noqa: S108 - the unit's own /tmp
            "BUNDLE_APP_CONFIG": "/tmp/bundle",  # noqa: S108
            "HOME": "/tmp",  # noqa: S108
            "LANG": "C.UTF-8",
        },
        seconds=120,
    )
    result = machine.runner.run(argv, timeout=150)
    if result.status != 0 or not written.exists():
        said = [x for x in (result.out + result.err).splitlines() if "Could not find" in x or "not find gem" in x]
        raise Failed(
            f"the gems of the Gemfile cannot be locked from Debian's packages: {' '.join(said)[:300]}",
            status=result.status,
            **evidence_of(result.out + result.err),
        )
    durable.write(tree / "Gemfile.lock", _read_plain(written), 0o644)
    durable.remove(written)


def unstage(machine: Machine, version: str) -> None:
    """Remove what `stage` made of a version."""
    durable.remove(staging(machine, version))
    durable.remove(machine.layout.release(version))
    durable.remove(machine.layout.scratch / version)


def prune(machine: Machine, keep: int, never: set[str]) -> list[str]:
    """Remove the oldest releases beyond `keep`, never these; return what went."""
    kept = machine.kept()
    gone = [v for v in kept[: max(0, len(kept) - keep)] if v not in never]
    for version in gone:
        unstage(machine, version)
    for leftover in machine.layout.releases.glob(".tmp-*"):
        durable.remove(leftover)
    return gone


def _read_plain(path: Path) -> bytes:
    """Read a file that the application's user wrote: no link, no device, no flood."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        state = os.fstat(stream.fileno())
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_LOCK:
            raise Failed(f"{path} is not a plain file of at most {MAX_LOCK} bytes")
        return stream.read(MAX_LOCK)
