"""What dpkg keeps of packages, and whether somebody wrote there after it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from filae_ops.facts import package_files

STATUS = """Package: libx
Status: install ok installed
Conffiles:
 /etc/x.conf 0123456789abcdef0123456789abcdef
 /etc/y.conf 0123456789abcdef0123456789abcdef obsolete

Package: bare
Status: install ok installed

Package: gone
Status: deinstall ok config-files
"""
CACHED = ("_unpacked", "_records", "_status", "_folders", "digests", "undigested", "copied", "_listed", "changed")
HOUR = 3600


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of dpkg's records: of a package with digests, of one without, and what a removed one left."""
    (tmp_path / "status").write_text(STATUS)
    (info := tmp_path / "info").mkdir()
    for name in (
        "libx:amd64.list",
        "libx:amd64.postinst",
        "x.list",
        "x.postinst",
        "bare.list",
        "gone.postrm",
        "format",
    ):
        (info / name).write_text("")
    (info / "bare.list").write_text("/usr/bin/env\n/usr/share\n")
    (info / "libx:amd64.list").write_text("/usr\n/usr/lib\n/usr/lib/x.py\n/usr/lib/x\n/usr/lib/x/y\n/etc/x.conf\n")
    (info / "libx:amd64.md5sums").write_text("0123456789abcdef0123456789abcdef  usr/lib/x.py\n")
    monkeypatch.setattr(package_files, "DATABASE", str(tmp_path))
    for name in CACHED:
        monkeypatch.setattr(package_files, name, getattr(package_files, name).__wrapped__)
    return info


def later(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have some records be written two minutes after all."""
    real = os.stat

    def stat(path: str) -> object:
        shift = 120 if str(path).endswith(names) else 0
        return type("About", (), {"st_ctime": real(path).st_ctime + shift})

    monkeypatch.setattr(package_files.os, "stat", stat)


def about(path: Path, *, age: float = 0.0) -> os.stat_result:
    """Return what lstat says, changed so many seconds before now."""
    fields = list(os.lstat(path))
    fields[9] = int(time.time() - age)
    return os.stat_result(fields)


def test_a_package_came_when_dpkg_wrote_its_records(records: Path) -> None:
    assert package_files.brought_at("/usr/lib/x.py") == pytest.approx(time.time(), abs=60)
    assert package_files.brought_at("/usr/lib/z.py") is None


def test_records_that_came_together_are_as_dpkg_wrote_them(records: Path) -> None:
    assert package_files._rewritten() == []


@pytest.mark.parametrize(
    ("names", "packages"),
    [
        (("libx:amd64.md5sums",), ["libx"]),
        (("libx:amd64.postinst",), ["libx"]),
        (("libx:amd64.postinst", "libx:amd64.list"), ["libx"]),
        (("gone.postrm",), []),
        (("x.list",), []),
    ],
)
def test_a_digest_or_script_that_changed_later_is_told(records, monkeypatch, names, packages):
    later(monkeypatch, *names)
    assert [row["package"] for row in package_files._rewritten()] == packages


def test_a_package_without_digests_is_told(records: Path) -> None:
    assert package_files.undigested() == {"bare"}
    (records / "libx:amd64.md5sums").unlink()
    (records / "libx:amd64.list").write_text("/usr/bin/env\n")
    assert "libx" in package_files.undigested()


def test_settings_have_digests_of_their_own(records: Path) -> None:
    assert package_files.digests() == {"/usr/lib/x.py", "/etc/x.conf", "/etc/y.conf"}


@pytest.fixture
def kinds(tmp_path: Path) -> dict[str, Path]:
    """One of each kind."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    return {name: tmp_path / name for name in ("file", "folder", "link", "fifo")}


@pytest.mark.parametrize(
    ("path", "kind", "age", "otherwise"),
    [
        ("/usr/lib/x.py", "file", 0, False), ("/usr/lib/x.py", "link", 0, True), ("/usr/lib/x.py", "fifo", 0, True),
        ("/usr/lib/x.py", "folder", 0, True), ("/usr/lib/x", "folder", 0, False), ("/usr/lib/x", "link", 0, True),
        ("/usr/lib/x", "file", 0, True), ("/usr/lib/x/y", "link", HOUR, False), ("/usr/lib/x/y", "link", -HOUR, True),
        ("/usr/lib/x/y", "file", 0, True), ("/usr/lib/x/y", "folder", 0, False), ("/usr/bin/env", "file", 0, False),
        ("/etc/x.conf", "file", 0, False), ("/etc/x.conf", "link", 0, True),
    ],
)  # fmt: skip
def test_another_kind_of_thing_than_the_package_brought_is_told(records, kinds, path, kind, age, otherwise):
    assert package_files.brought_otherwise(path, about(kinds[kind], age=age)) is otherwise


def test_links_are_not_judged_by_their_age_on_a_disk_that_was_copied(records, kinds, monkeypatch):
    monkeypatch.setattr(package_files, "copied", lambda: True)
    assert not package_files.brought_otherwise("/usr/lib/x/y", about(kinds["link"], age=-HOUR))
    assert package_files.brought_otherwise("/usr/lib/x", about(kinds["link"], age=-HOUR))


@pytest.mark.parametrize(("age", "copied"), [(HOUR, False), (-HOUR, True)])
def test_a_disk_was_copied_when_most_links_are_younger_than_their_packages(records, kinds, monkeypatch, age, copied):
    monkeypatch.setattr(package_files, "owners", lambda: {"/usr/lib/x/y": "libx", "/usr/lib/x/z": "libx"})
    monkeypatch.setattr(package_files.os.path, "islink", lambda path: True)
    result = about(kinds["link"], age=age)
    monkeypatch.setattr(package_files.os, "lstat", lambda path: result)
    assert package_files.copied() is copied
