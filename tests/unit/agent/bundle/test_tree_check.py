from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from filae_ops.agent.bundle import archive, tree_check
from filae_ops.agent.system.errors import Refused


@pytest.fixture
def release(good, tmp_path) -> Path:
    archive.extract(good.bundle, tmp_path / "release")
    return tmp_path / "release"


def test_extraction_is_the_source_normalised(good, release):
    manifest = archive.read_manifest(good.bundle)
    states = {path: path.lstat() for path in [release, *release.rglob("*")]}
    assert len({state.st_mtime for state in states.values()}) == 1
    assert release.stat().st_mtime > manifest["built"]["mtime"], "older than the gems' files, assets are out of date"
    assert {state.st_uid for state in states.values()} == {os.geteuid()}
    modes = {stat.S_IMODE(state.st_mode) for path, state in states.items() if not path.is_symlink()}
    assert modes == {0o644, 0o755}
    names = {str(path.relative_to(release)) for path in states if path != release}
    assert names == {"MANIFEST.json", *(entry["path"] for entry in manifest["files"])}
    assert (release / "lib/é à.rb").read_text() == "accents"
    assert (release / "lib/web").readlink() == Path("../bin/web")
    assert (release / "lib/empty").is_dir()
    assert not (release / "storage").exists()


def test_extraction_needs_a_new_directory(good, release):
    with pytest.raises(Refused, match="exists already"):
        archive.extract(good.bundle, release)
    archive.verify_tree(release)


def test_extraction_without_its_parent(good, tmp_path):
    with pytest.raises(Refused, match="No such file"):
        archive.extract(good.bundle, tmp_path / "absent/release")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError])
def test_a_failed_extraction_leaves_nothing(good, tmp_path, monkeypatch, error):
    def fail(path: Path) -> None:
        raise error

    monkeypatch.setattr(archive, "_sync", fail)
    with pytest.raises(Refused if isinstance(error, OSError) else error):
        archive.extract(good.bundle, tmp_path / "release")
    assert list(tmp_path.iterdir()) == []


def test_everything_is_forced_to_the_disk_before_its_name_counts(good, tmp_path, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr(archive, "_sync", synced.append)
    manifest = archive.extract(good.bundle, tmp_path / "release")
    wanted = [entry["path"] for entry in manifest["files"] if entry["type"] != "link"]
    assert {str(path.relative_to(tmp_path)) for path in synced} == {
        ".", "release", "release/MANIFEST.json", *(f"release/{path}" for path in wanted)
    }  # fmt: skip
    assert synced[-2:] == [tmp_path / "release", tmp_path]


def links(release: Path) -> dict[str, str]:
    made = {
        "storage": "/srv/filae/files/attachments",
        "tmp": "/var/cache/filae/2.1.0/tmp",
        "log": "/var/cache/l",
    }
    for path, target in made.items():
        (release / path).symlink_to(target)
    return made


def test_a_tree_with_the_machine_s_own_is_good(release):
    made = links(release)
    (release / "Gemfile.lock").write_text("GEM")
    assert archive.verify_tree(release)["contract"]["version"] == "2.1.0"
    archive.verify_tree(release, made)


def other_group(release: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.lchown(release / "lib/web", 0, 65534)


def other_owner(release: Path) -> None:
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.lchown(release / "lib/web", 65534, 65534)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: (r / "bin/web").write_text("#!/bin/zz\n"), "bin/web: has other content"),
        (lambda r: (r / "bin/web").write_text("longer than before"), "bin/web: has other content"),
        (lambda r: (r / "bin/web").chmod(0o4755), "bin/web: has mode 4755"),
        (lambda r: (r / "lib").chmod(0o777), "lib: has mode 0777"),
        (lambda r: (r / "bin/web").unlink(), "bin/web: is missing"),
        (lambda r: (r / "lib/empty").rmdir(), "lib/empty: is missing"),
        (lambda r: (r / "lib/more.rb").write_text("x"), "more.rb: is not in the manifest"),
        (lambda r: (r / "more").mkdir(), "more: is not in the manifest"),
        (lambda r: (r / "lib/Gemfile.lock").write_text("x"), "lib/Gemfile.lock: is not in"),
        (lambda r: os.mkfifo(r / "pipe"), "pipe: is not in the manifest"),
        (lambda r: ((r / "lib/web").unlink(), (r / "lib/web").symlink_to("/bin/sh")), "leads elsewhere"),
        (lambda r: ((r / "bin/web").unlink(), os.mkfifo(r / "bin/web")), "no longer a file"),
        (
            lambda r: ((r / "bin/web").rename(r.parent / "x"), (r / "bin/web").symlink_to("../../x")),
            "no longer a file",
        ),
        (lambda r: ((r / "lib/empty").rmdir(), (r / "lib/empty").symlink_to("/etc")), "no longer a dir"),
        (lambda r: (r / "storage").mkdir(), "storage: is not the link"),
        (lambda r: (r / "Gemfile.lock").mkdir(), "Gemfile.lock: is not a file that root alone writes"),
        (lambda r: (r / "Gemfile.lock").symlink_to("/etc/passwd"), "root alone writes"),
        (lambda r: ((r / "Gemfile.lock").write_text(""), (r / "Gemfile.lock").chmod(0o666)), "root alone"),
        (lambda r: (r / "MANIFEST.json").chmod(0o666), "MANIFEST.json: is not a file that root alone"),
        (lambda r: (r / "MANIFEST.json").write_text("{}"), "not of format 1"),
        (lambda r: (r / "MANIFEST.json").unlink(), "No such file"),
        (lambda r: ((r / "MANIFEST.json").unlink(), os.mkfifo(r / "MANIFEST.json")), "not a manifest"),
        (lambda r: ((r / "Gemfile.lock").write_text(""), (r / "Gemfile.lock").chmod(0o4644)), "root alone"),
        (lambda r: r.chmod(0o775), "release: has mode 0775"),
        (other_owner, "owned by user 65534"),
        (other_group, "owned by group 65534"),
    ],
)
def test_an_altered_tree_is_refused(release, change, said):
    change(release)
    with pytest.raises(Refused) as refusal:
        archive.verify_tree(release)
    assert said in refusal.value.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: (r / "storage").unlink(), "storage: is missing"),
        (lambda r: ((r / "storage").unlink(), (r / "storage").symlink_to("/etc")), "is not the link"),
    ],
)
def test_the_machine_s_links_are_checked_when_told(release, change, said):
    made = links(release)
    change(release)
    with pytest.raises(Refused) as refusal:
        archive.verify_tree(release, made)
    assert said in refusal.value.message


def test_no_tree(tmp_path):
    with pytest.raises(Refused, match="No such file"):
        archive.verify_tree(tmp_path / "absent")


def test_all_differences_are_given_and_what_was_added_is_not_entered(release):
    (release / "bin/web").chmod(0o4755)
    (release / "lib/empty").rmdir()
    (release / "more/inner").mkdir(parents=True)
    found = tree_check.differences(release, tree_check.manifest_of(release))
    assert {(each.kind, each.path) for each in found} == {
        ("changed", "bin/web"), ("missing", "lib/empty"), ("added", "more")
    }  # fmt: skip


def test_no_difference_is_given_once_there_is_no_time_left(release):
    with pytest.raises(tree_check.OutOfTime):
        list(tree_check.differences(release, tree_check.manifest_of(release), deadline=0))
