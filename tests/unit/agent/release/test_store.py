"""The trees of releases: bound to the machine, pruned."""

from __future__ import annotations

from pathlib import Path

from material.agent.fakes import CONTRACT, machine_at, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.release import store

NEW = Contract(CONTRACT)


def test_a_tree_is_bound_to_the_machines_directories(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    tree = put_release(machine, "2.1.0")
    (tree / "tmp-like").mkdir()
    store.bind(machine, tree, NEW)
    assert (tree / "storage").readlink() == machine.layout.files / "attachments"
    assert (tree / "log").readlink() == machine.layout.scratch / "2.1.0/log"
    assert (machine.layout.files / "attachments").stat().st_mode & 0o777 == 0o750
    store.bind(machine, tree, NEW)


def test_the_oldest_releases_go_but_never_those_in_use(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    for version in ("1.9.0", "1.10.0", "2.0.0", "2.1.0", "2.2.0"):
        put_release(machine, version)
    (machine.layout.releases / ".tmp-3.0.0").mkdir()
    assert store.prune(machine, 3, {"1.9.0", "2.2.0"}) == ["1.10.0"]
    assert machine.kept() == ["1.9.0", "2.0.0", "2.1.0", "2.2.0"]
