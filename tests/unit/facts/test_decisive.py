"""Which entries of a disk are told, and what accounts for them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from filae_ops.facts import decisive, derived_files, package_files


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A disk on which `known` is a package's, `changed` and `gone` were its."""
    owners = {f"{tmp_path}/{name}": "known" for name in ("known", "changed", "gone")}
    monkeypatch.setattr(decisive, "TREES", (str(tmp_path),))
    monkeypatch.setattr(decisive, "SHALLOW", {})
    monkeypatch.setattr(package_files, "owners", lambda: owners)
    monkeypatch.setattr(
        package_files, "changed", lambda: {f"{tmp_path}/changed": "changed", f"{tmp_path}/gone": "missing"}
    )
    monkeypatch.setattr(derived_files, "_bytes", lambda path: pytest.fail(f"{path} was read whole"))
    monkeypatch.setattr(package_files, "brought_otherwise", lambda path, about: path.endswith("link"))
    monkeypatch.setattr(derived_files, "ALWAYS", (f"{tmp_path}/known", f"{tmp_path}/always"))
    monkeypatch.setattr(decisive, "UNIT_FOLDERS", (f"{tmp_path}/units",))
    monkeypatch.setattr(derived_files, "ucf", lambda: {})
    judged = derived_files.made_by
    monkeypatch.setattr(
        derived_files, "made_by", lambda path, target: "a tool" if path.endswith("made") else judged(path, target)
    )
    for name in ("known", "changed", "made", "strange"):
        (tmp_path / name).write_text(name)
    return tmp_path


def rows(disk: Path, declared: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    found = decisive.decisive({"declared_paths": declared})
    assert found["whole"]
    return {row["path"].removeprefix(f"{disk}/"): row for row in found["rows"]}


def test_each_entry_says_what_accounts_for_it(disk):
    told = rows(disk)
    assert {name: (row["by"], row.get("package", "")) for name, row in told.items() if "/" not in name} == {
        "known": ("package known", ""), "changed": ("", "known"), "made": ("a tool", ""), "strange": ("", ""),
        "gone": ("", "known"), "always": ("", ""),
    }  # fmt: skip
    assert told["gone"]["kind"] == told["always"]["kind"] == "missing"


def test_what_others_may_change_is_loose(disk):
    (disk / "known").chmod(0o666)
    (disk / "made").chmod(0o664)
    (disk / "open").mkdir()
    (disk / "open").chmod(0o777)
    (disk / "sticky").mkdir()
    (disk / "sticky").chmod(0o1777)
    os.chown(disk / "made", 0, 12345)
    told = rows(disk)
    assert {name for name, row in told.items() if row.get("loose")} == {"known", "made", "open"}


def test_what_is_declared_and_what_units_start_is_looked_at_wherever_it_lies(disk, tmp_path_factory):
    other = tmp_path_factory.mktemp("opt")
    (other / "agent").mkdir()
    for name in ("agent/run", "started", "neither"):
        (other / name).write_text("")
        (other / name).chmod(0o777)
    (disk / "units").mkdir()
    (disk / "units/x.service").write_text(f"[Service]\nExecStart=-/bin/sh {other}/started --now\n")
    told = rows(disk, [f"{other}/agent"])
    assert {name for name, row in told.items() if row.get("loose")} == {f"{other}/agent/run", f"{other}/started"}


def test_links_pipes_and_names_of_any_kind_are_told_without_being_followed_or_waited_for(disk):
    (disk / "link").symlink_to("/etc/shadow")
    os.mkfifo(disk / "pipe")
    odd = os.fsencode(disk) + b"/odd\xff\n\x1b[2J"
    os.close(os.open(odd, os.O_CREAT))
    told = rows(disk)
    assert (told["link"]["kind"], told["link"]["target"]) == ("link", "/etc/shadow")
    assert told["pipe"]["kind"] == "special"
    assert any(name.startswith("odd") for name in told)


def test_what_is_gone_before_it_is_looked_at_is_not_told(disk, monkeypatch):
    listed = [*decisive._entries(float("inf"), ())]
    (disk / "strange").unlink()
    monkeypatch.setattr(decisive, "_entries", lambda limit, declared: listed)
    assert "strange" not in rows(disk)


def test_more_than_can_be_told_is_said_not_to_be_whole(disk, monkeypatch):
    monkeypatch.setattr(decisive, "ROWS", 2)
    assert decisive.decisive({})["whole"] is False


@pytest.mark.parametrize(
    ("name", "text", "own"),
    [
        ("session-4.scope", "", True),
        ("filae-run-probe-5100.service", "[Service]\nUser=filae\n", True),
        ("filae-run-migrate.service", "[Service]\nUser=filae_migrate\n", True),
        ("filae-run-evil.service", "[Service]\nUser=root\n", False),
        ("filae-run-evil.service", "[Service]\nExecStart=/bin/sh\n", False),
        ("run-u1.service", "[Service]\nUser=filae\n", False),
    ],
)
def test_units_without_a_file_are_ours_by_name_and_by_whom_they_run_as(monkeypatch, name, text, own):
    monkeypatch.setattr(decisive, "read", lambda path: text)
    assert decisive._own_transient(f"/run/systemd/transient/{name}") is own
    assert decisive._own_transient(f"/etc/systemd/system/{name}") is False
