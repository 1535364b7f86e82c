"""What root makes and removes where another user writes: no link is followed, and no tree is too deep."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused

MINE = (os.geteuid(), os.getegid())


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o7777


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A directory of root's, to which a link leads."""
    place = tmp_path / "roots"
    place.mkdir(mode=0o700)
    return place


@pytest.mark.parametrize("directory", [lambda path: durable.directory(path, 0o755, MINE),
                                       lambda path: durable.directories(path, ["tmp"], 0o755, MINE)])  # fmt: skip
def test_a_link_in_a_directory_s_place_is_not_followed(
    tmp_path: Path, roots: Path, directory: Callable[[Path], None]
) -> None:
    (tmp_path / "place").symlink_to(roots)
    with pytest.raises(Refused, match=r"place is a link or a file, and must be a directory"):
        directory(tmp_path / "place")
    assert mode(roots) == 0o700
    assert list(roots.iterdir()) == []


@pytest.mark.parametrize("linked", ["tmp", "tmp/cache", "tmp/cache/deep"])
def test_a_link_below_becomes_a_directory(tmp_path: Path, roots: Path, linked: str) -> None:
    link = tmp_path / "2.1.0" / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(roots)
    durable.directories(tmp_path / "2.1.0", ["tmp/cache/deep", "log"], 0o750, MINE)
    for place in (link, *(tmp_path / "2.1.0" / name for name in ("tmp/cache/deep", "log", ""))):
        assert place.is_dir()
        assert not place.is_symlink()
        assert mode(place) == 0o750
    assert mode(roots) == 0o700
    assert list(roots.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "2.1.0/tmp").mkdir(parents=True)
    (tmp_path / "2.1.0/tmp/kept").write_text("kept")
    (tmp_path / "2.1.0/log").write_text("a file in a directory's place")
    durable.directories(tmp_path / "2.1.0", ["tmp", "log"], 0o750, MINE)
    assert (tmp_path / "2.1.0/tmp/kept").read_text() == "kept"
    assert (tmp_path / "2.1.0/log").is_dir()


def test_a_link_that_comes_back_is_the_application_s_doing(
    tmp_path: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def replaced(name: str, mode: int, *, dir_fd: int) -> None:
        mkdir(name, mode, dir_fd=dir_fd)
        if name == "tmp":
            os.rename(name, f"away-{os.urandom(4).hex()}", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
            os.symlink(roots, name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", replaced)
    with pytest.raises(Refused, match=r"2\.1\.0/tmp is replaced by a link or a file while root makes it") as refused:
        durable.directories(tmp_path / "2.1.0", ["tmp/cache"], 0o750, MINE)
    assert (refused.value.owner, "no operator" in refused.value.message) == ("provider", True)
    assert mode(roots) == 0o700
    assert list(roots.iterdir()) == []


def test_a_directory_that_moves_away_while_it_is_made_gets_nothing_of_another_s(
    tmp_path: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is renamed, and a link takes its name, after root has it in hand."""
    chmod, place = os.fchmod, tmp_path / "2.1.0"

    def moved(handle: int, mode: int) -> None:
        if (place / "tmp").is_dir() and not (place / "tmp").is_symlink():
            (place / "tmp").rename(place / "moved")
            (place / "tmp").symlink_to(roots)
        chmod(handle, mode)

    monkeypatch.setattr(os, "fchmod", moved)
    durable.directories(place, ["tmp/cache"], 0o750, MINE)
    assert mode(place / "moved/cache") == 0o750
    assert mode(roots) == 0o700


def test_a_directory_is_given_away_after_all_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def give(handle: int, *_: int) -> None:
        given.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        assert mode(tmp_path / "2.1.0") in (0o700, 0o750)

    monkeypatch.setattr(os, "fchown", give)
    durable.directories(tmp_path / "2.1.0", ["tmp/cache", "log"], 0o750, MINE)
    assert given == ["log", "cache", "tmp", "2.1.0"]


def test_a_tree_of_any_depth_goes(tmp_path: Path) -> None:
    """A process of the application made it in its scratch."""
    here = os.open(tmp_path, os.O_DIRECTORY)
    for name in ["2.1.0", *["d"] * 3000]:
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        durable.remove(tmp_path / "2.1.0")
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["rm", "-rf", "--", str(tmp_path / "2.1.0")], check=True)


def test_what_cannot_be_removed_for_another_reason_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "2.1.0").mkdir()

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(durable.shutil, "rmtree", refuse)
    with pytest.raises(OSError, match="Read-only file system"):
        durable.remove(tmp_path / "2.1.0")


def test_a_new_link_takes_no_file_of_the_bundle_away(tmp_path: Path) -> None:
    (tmp_path / ".log.new").write_text("a file of the bundle")
    durable.link(tmp_path / "log", "/var/cache/filae/2.1.0/log")
    durable.link(tmp_path / ("n" * 255), "/var/cache/filae/2.1.0/n")
    assert (tmp_path / ".log.new").read_text() == "a file of the bundle"
    assert (tmp_path / "log").readlink() == Path("/var/cache/filae/2.1.0/log")
