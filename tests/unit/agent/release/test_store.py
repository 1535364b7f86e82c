"""The trees of releases: bound to the machine, pruned."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.release import store
from filae_ops.agent.system.errors import Refused

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


@pytest.mark.parametrize("linked", ["2.1.0", "2.1.0/tmp", "2.1.0/log"])
def test_a_link_in_the_place_of_scratch_leads_root_nowhere(tmp_path: Path, linked: str) -> None:
    """The application of an earlier time put it there; then the same version is deployed again."""
    machine, _ = machine_at(tmp_path)
    system = tmp_path / "run/systemd/system"
    system.mkdir(parents=True, mode=0o700)
    tree = put_release(machine, "2.1.0")
    link = machine.layout.scratch / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(system)
    with contextlib.nullcontext() if "/" in linked else pytest.raises(Refused, match=r"filae/2\.1\.0 is a link"):
        store.bind(machine, tree, NEW)
    assert system.stat().st_mode & 0o777 == 0o700
    assert list(system.iterdir()) == []


def test_a_link_in_the_place_of_lasting_files_is_refused_and_stays(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (machine.layout.files / "attachments").symlink_to(other)
    with pytest.raises(Refused, match="attachments is a link or a file, and must be a directory"):
        store.bind(machine, put_release(machine, "2.1.0"), NEW)
    assert (machine.layout.files / "attachments").is_symlink()
    assert other.stat().st_mode & 0o777 == 0o700


def test_a_tree_that_is_made_anew_takes_the_place_of_the_one_that_somebody_changed(tmp_path, monkeypatch) -> None:
    machine, _ = machine_at(tmp_path)
    tree = put_release(machine, "2.1.0")
    (tree / "added.rb").write_text("")
    new = tmp_path / "new"
    shutil.copytree(put_release(machine, "2.2.0"), new)
    monkeypatch.setattr(store.archive, "extract", lambda bundle, destination: shutil.copytree(new, destination))
    store.stage(machine, tmp_path / "bundle", "2.1.0")
    assert not (tree / "added.rb").exists()
    store.prune(machine, 9, set())
    assert sorted(path.name for path in machine.layout.releases.iterdir()) == ["2.1.0", "2.2.0"]


@pytest.mark.parametrize("cut", ["before", "between", "after"])
def test_a_cut_while_a_tree_is_made_anew_leaves_one_under_its_name(tmp_path: Path, cut: str) -> None:
    machine, _ = machine_at(tmp_path)
    tree, former = put_release(machine, "2.1.0"), machine.layout.releases / ".tmp-2.1.0.former"
    if cut != "before":
        tree.rename(former)
    if cut == "after":
        put_release(machine, "2.1.0")
    store.put_back(machine, "2.1.0")
    assert tree.is_dir()
    assert not former.exists()
    store.unstage(machine, "2.1.0")
    assert list(machine.layout.releases.iterdir()) == []
