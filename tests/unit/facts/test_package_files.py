"""What dpkg keeps of packages, and whether somebody wrote there after it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from filae_ops.facts import package_files


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of dpkg's records: of a package, of one of an architecture, and what a removed one left."""
    (info := tmp_path / "info").mkdir()
    for name in ("libx:amd64.list", "libx:amd64.md5sums", "x.list", "x.postinst", "gone.postrm", "format"):
        (info / name).write_text("")
    monkeypatch.setattr(package_files, "DATABASE", str(tmp_path))
    monkeypatch.setattr(package_files, "owners", lambda: {"/usr/lib/x.py": "libx", "/usr/lib/y.py": "y"})
    monkeypatch.setattr(package_files, "_unpacked", package_files._unpacked.__wrapped__)
    return info


def later(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have one record be written two minutes after all."""
    real = package_files.os.stat

    def stat(path: str) -> object:
        shift = 120 if str(path).endswith(name) else 0
        return type("About", (), {"st_ctime": real(path).st_ctime + shift})

    monkeypatch.setattr(package_files.os, "stat", stat)


def test_a_package_came_when_dpkg_wrote_its_list(records: Path) -> None:
    assert package_files.brought_at("/usr/lib/x.py") == pytest.approx(time.time(), abs=60)
    assert package_files.brought_at("/usr/lib/y.py") is None
    assert package_files.brought_at("/usr/lib/z.py") is None


def test_records_that_came_together_are_as_dpkg_wrote_them(records: Path) -> None:
    assert package_files._rewritten() == []


@pytest.mark.parametrize(
    ("name", "packages"),
    [("libx:amd64.md5sums", ["libx"]), ("x.postinst", ["x"]), ("gone.postrm", []), ("x.list", [])],
)
def test_a_digest_or_script_that_changed_later_is_told(records, monkeypatch, name, packages):
    later(monkeypatch, name)
    assert [row["package"] for row in package_files._rewritten()] == packages
