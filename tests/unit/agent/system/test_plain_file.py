"""What root reads where another user writes: a regular file below its directory, or an error at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from filae_ops.agent.system.plain_file import open_below, open_leading_into


def pipe(place: Path) -> None:
    os.mkfifo(place / "a/b")


def listening(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        os.chdir(place / "a")
        link.bind("b")


def link(place: Path) -> None:
    (place / "a/b").symlink_to(place / "outside")


def linked_directory(place: Path) -> None:
    (place / "a").rmdir()
    (place / "elsewhere").mkdir()
    (place / "elsewhere/b").write_text("another's")
    (place / "a").symlink_to(place / "elsewhere")


def directory(place: Path) -> None:
    (place / "a/b").mkdir()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "outside").write_text("another's")
    return tmp_path


def test_a_regular_file_opens(place: Path) -> None:
    (place / "a/b").write_text("its own")
    with open_below(place, "a/b") as stream:
        assert stream.read() == b"its own"


@pytest.mark.parametrize("put", [pipe, listening, link, linked_directory, directory])
def test_what_is_none_is_refused_and_keeps_nobody_waiting(place: Path, put: Callable[[Path], None]) -> None:
    put(place)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match=r"/a/b|'a'|'b'"):
        open_below(place, "a/b")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_links_that_are_there_lead_to_a_file_inside_and_not_out(place: Path) -> None:
    (place / "a/b").write_text("its own")
    (place / "release").symlink_to(place / "a")
    (place / "a/again").symlink_to("b")
    (place / "a/out").symlink_to(place / "outside")
    for name in ("b", "again"):
        with open_leading_into(place / "a", place / "release" / name) as stream:
            assert stream.read() == b"its own"
    for name, said in (("out", "leads out of"), ("absent", "No such file")):
        with pytest.raises(OSError, match=said):
            open_leading_into(place / "a", place / "release" / name)


def test_what_becomes_a_link_while_root_looks_is_not_followed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "a/b").write_text("its own")
    resolve = Path.resolve

    def replaced(path: Path, strict: bool = False) -> Path:
        found = resolve(path, strict)
        if strict:
            (place / "a/b").unlink()
            (place / "a/b").symlink_to(place / "outside")
        return found

    monkeypatch.setattr(Path, "resolve", replaced)
    with pytest.raises(OSError, match="symbolic links"):
        open_leading_into(place / "a", place / "a/b")


@pytest.mark.parametrize("path", ["../outside", "a/../outside", "/etc/hostname", ".", ""])
def test_a_path_that_leaves_its_directory_is_refused(place: Path, path: str) -> None:
    with pytest.raises(OSError, match="is no path below its directory"):
        open_below(place, path)
