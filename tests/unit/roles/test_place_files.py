"""What provisioning places, also where another user owns the directory: PostgreSQL's settings, nginx's log."""

from __future__ import annotations

import grp
import importlib.util
import os
import pwd
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3] / "playbooks/library/place_files.py"
ME = {"owner": pwd.getpwuid(os.geteuid()).pw_name, "group": grp.getgrgid(os.getegid()).gr_name}


class FailureError(Exception):
    pass


@pytest.fixture
def placed() -> Any:
    spec = importlib.util.spec_from_file_location("place_files", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def placer(placed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(placed, "UNFINISHED", str(tmp_path / "state/unfinished"))

    def fail_json(msg: str) -> None:
        raise FailureError(msg)

    return placed.Placer(SimpleNamespace(check_mode=False, fail_json=fail_json))


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A directory in which another user may put what it likes: this one's group, here."""
    place = tmp_path / "etc/postgresql"
    place.mkdir(parents=True)
    place.chmod(0o775)
    return place


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """A directory of root's that others would like to write in."""
    place = tmp_path / "apt.conf.d"
    place.mkdir(mode=0o700)
    return place


def test_directories_files_and_links_are_placed_once(placer: Any, tmp_path: Path) -> None:
    def place() -> list[str]:
        placer.paths, placer.diffs = [], []
        placer.directory(f"{tmp_path}/a/b", **ME, mode="0750")
        placer.file(f"{tmp_path}/a/b/c", content="text\n", **ME, mode="0640")
        placer.file(f"{tmp_path}/new/d", content="text\n", **ME)
        placer.commit()
        placer.link(f"{tmp_path}/a/link", "b/c")
        placer.remove(f"{tmp_path}/a/absent")
        return [path.removeprefix(f"{tmp_path}/") for path in placer.paths]

    assert place() == ["a/b", "a/b/c", "new/d", "a/link"]
    assert (tmp_path / "a/link").read_text() == "text\n"
    assert oct((tmp_path / "a/b").stat().st_mode)[-4:] == "0750"
    assert oct((tmp_path / "a/b/c").stat().st_mode)[-4:] == "0640"
    assert place() == []
    (tmp_path / "a/b/c").write_text("other\n")
    (tmp_path / "a/b").chmod(0o700)
    assert place() == ["a/b", "a/b/c"]
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == ["c"]
    placer.remove(f"{tmp_path}/a/link")
    assert not (tmp_path / "a/link").is_symlink()


def test_a_link_is_placed_after_a_run_that_was_cut(
    placed: Any, placer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(placed.os, "rename", cut)
        with pytest.raises(KeyboardInterrupt):
            placer.link(f"{tmp_path}/link", "target")
    placer.link(f"{tmp_path}/link", "target")
    assert [(path.name, str(path.readlink())) for path in tmp_path.iterdir()] == [("link", "target")]


def test_what_is_kept_is_not_written_nor_read(placer: Any, tmp_path: Path) -> None:
    (tmp_path / "log").write_text("lines\n")
    placer.file(f"{tmp_path}/log", content="", keep=True, **ME, mode="0600")
    placer.commit()
    assert placer.paths == [f"{tmp_path}/log"]
    assert ((tmp_path / "log").read_text(), (tmp_path / "log").stat().st_mode & 0o777) == ("lines\n", 0o600)


def test_a_link_that_root_put_is_followed(placer: Any, tmp_path: Path, roots: Path) -> None:
    (tmp_path / "srv").symlink_to(roots)
    placer.file(f"{tmp_path}/srv/file", content="text\n", **ME)
    placer.commit()
    assert (roots / "file").read_text() == "text\n"


@pytest.mark.parametrize(
    "place",
    [lambda placer, path: placer.file(f"{path}/main/pg_hba.conf", content="text\n", **ME),
     lambda placer, path: placer.file(f"{path}/main/conf.d/filae.conf", content="text\n", **ME),
     lambda placer, path: placer.directory(f"{path}/main", **ME, mode="0777"),
     lambda placer, path: placer.link(f"{path}/main/link", "target"),
     lambda placer, path: placer.remove(f"{path}/main/file")],
    ids=["a file", "a directory of a file", "a directory", "a link", "a removal"],
)  # fmt: skip
def test_a_link_that_another_user_may_have_put_is_not_followed(
    placer: Any, theirs: Path, roots: Path, place: Callable[[Any, Path], None]
) -> None:
    (roots / "file").write_text("root's")
    (theirs / "main").symlink_to(roots)
    with pytest.raises(FailureError, match="postgresql/main is not a directory, or a link that root may not"):
        place(placer, theirs)
    assert [path.name for path in roots.iterdir()] == ["file"]
    assert roots.stat().st_mode & 0o777 == 0o700


def test_a_file_that_becomes_a_link_gives_nothing_away(
    placed: Any, placer: Any, theirs: Path, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as it should be but for its mode; when root changes that, its name leads to a file of root's."""
    shadow, file = roots / "shadow", theirs / "pg_hba.conf"
    shadow.write_text("root's")
    shadow.chmod(0o600)
    file.write_text("text\n")
    note = placed.Placer.note

    def replaced(*words: Any) -> None:
        file.unlink()
        file.symlink_to(shadow)
        note(*words)

    monkeypatch.setattr(placed.Placer, "note", replaced)
    placer.file(str(file), content="text\n", **ME, mode="0666")
    assert shadow.stat().st_mode & 0o777 == 0o600


def test_a_pipe_keeps_nobody_waiting(placer: Any, theirs: Path) -> None:
    os.mkfifo(theirs / "pg_hba.conf")
    with pytest.raises(FailureError, match="is not a plain file"):
        placer.file(str(theirs / "pg_hba.conf"), content="text\n", **ME)


def test_a_second_name_of_another_file_is_not_given_away(placer: Any, theirs: Path, roots: Path) -> None:
    (roots / "shadow").write_text("text\n")
    (roots / "shadow").chmod(0o600)
    os.link(roots / "shadow", theirs / "pg_hba.conf")
    with pytest.raises(FailureError, match="has a second name"):
        placer.file(str(theirs / "pg_hba.conf"), content="text\n", **ME, mode="0644")
    assert (roots / "shadow").stat().st_mode & 0o777 == 0o600


def test_a_file_that_its_program_refuses_leaves_nothing(placer: Any, tmp_path: Path) -> None:
    placer.file(f"{tmp_path}/good", content="text\n", **ME)
    with pytest.raises(FailureError, match="not written, /bin/false refuses it"):
        placer.file(f"{tmp_path}/bad", content="text\n", validate=["/bin/false", "%s"], **ME)
    assert [path.name for path in tmp_path.iterdir()] == []
