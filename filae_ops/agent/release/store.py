"""The trees of the releases: staged aside, bound to the machine's directories, renamed whole, pruned."""

from __future__ import annotations

from pathlib import Path

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.release import gem_lock, outdated, vendored_gems
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine


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
    archive.extract(bundle, tree)
    contract = of_release(tree)
    bind(machine, tree, contract)
    if contract.data.get("gems") == "debian" and (tree / "Gemfile").is_file():
        gem_lock.lock(machine, tree, contract)
    if contract.data.get("gems") == "vendored":
        vendored_gems.check(machine, tree, contract)
    durable.sync_directory(tree)
    # One that somebody changed still serves while it is made anew; it is pruned at the end.
    former = _former(machine, version)
    durable.remove(former)
    if machine.layout.release(version).exists():
        machine.layout.release(version).rename(former)
    tree.rename(machine.layout.release(version))
    durable.sync_directory(machine.layout.releases)


def _former(machine: Machine, version: str) -> Path:
    return machine.layout.releases / f".tmp-{version}.former"


def put_back(machine: Machine, version: str) -> None:
    """Give a release's name back to its former tree where `stage` was cut before the new one had it; else drop it."""
    former, tree = _former(machine, version), machine.layout.release(version)
    if former.exists() and not tree.exists():
        former.rename(tree)
        durable.sync_directory(machine.layout.releases)
    durable.remove(staging(machine, version))
    durable.remove(former)


def bind(machine: Machine, tree: Path, contract: Contract) -> None:
    """Make the application's directories, and the links of the tree to them."""
    for entry in contract.files:
        durable.directory(machine.layout.files / entry["name"], 0o750, machine.app_ids)
    durable.directories(machine.layout.scratch / contract.version, contract.scratch, 0o750, machine.app_ids)
    for path, target in links(machine, contract).items():
        durable.link(tree / path, target)


def unstage(machine: Machine, version: str) -> None:
    """Remove what `stage` made of a version."""
    durable.remove(staging(machine, version))
    durable.remove(_former(machine, version))
    durable.remove(machine.layout.release(version))
    durable.remove(machine.layout.scratch / version)
    durable.remove(outdated.record(machine.layout, version))


def surplus(machine: Machine, keep: int, never: set[str]) -> list[str]:
    """Return the oldest releases beyond `keep`, never these."""
    kept = machine.kept()
    return [v for v in kept[: max(0, len(kept) - keep)] if v not in never]


def prune(machine: Machine, keep: int, never: set[str]) -> list[str]:
    """Remove the oldest releases beyond `keep`, never these; return what went."""
    gone = surplus(machine, keep, never)
    for version in gone:
        unstage(machine, version)
    for leftover in machine.layout.releases.glob(".tmp-*"):
        durable.remove(leftover)
    return gone
