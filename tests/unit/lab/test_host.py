"""What the lab reads of its host, and the names that it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from filae_ops.errors import OpsError
from filae_ops.lab import bridge, host, state, supervise

DEB822 = """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://other.example/apt
Suites: stable
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """# a comment
deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main
deb http://mirror.example/security bookworm-security main
deb-src http://mirror.example/debian bookworm main
"""


@pytest.fixture
def bookworm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FILAE_LAB_MIRROR", raising=False)
    monkeypatch.setattr(host, "_os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "bookworm"})


def sources_of(monkeypatch: pytest.MonkeyPatch, apt: Path) -> str:
    entries = host._entries(apt)
    monkeypatch.setattr(host, "_entries", lambda _: entries)
    return host.debian_sources("trixie")


@pytest.mark.parametrize(("name", "text"), [("sources.list.d/debian.sources", DEB822), ("sources.list", ONE_LINE)])
def test_the_hosts_mirrors_are_kept_and_the_suite_rewritten(
    bookworm: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    found = sources_of(monkeypatch, tmp_path)
    assert "URIs: http://mirror.example/debian\nSuites: trixie" in found
    assert "URIs: http://mirror.example/security\nSuites: trixie-security" in found
    for left_out in ("other.example", "off.example", "bookworm", "backports"):
        assert left_out not in found


def test_a_host_without_a_debian_mirror_is_told_how_to_give_one(
    bookworm: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(OpsError, match="no Debian mirror") as refused:
        sources_of(monkeypatch, tmp_path)
    assert "FILAE_LAB_MIRROR=" in refused.value.next_step


def test_a_mirror_may_be_given(bookworm: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FILAE_LAB_MIRROR", "http://given.example/debian")
    assert "URIs: http://given.example/debian\nSuites: trixie" in sources_of(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("uid", "release", "words"),
    [(1000, {"ID": "debian"}, "need root"), (0, {"ID": "fedora"}, "Debian or Ubuntu"), (0, {}, "Debian or Ubuntu")],
)
def test_a_host_that_cannot_hold_machines_is_told_what_still_works(
    monkeypatch: pytest.MonkeyPatch, uid: int, release: dict[str, str], words: str
) -> None:
    monkeypatch.setattr(host.os, "geteuid", lambda: uid)
    monkeypatch.setattr(host, "_os_release", lambda: release)
    with pytest.raises(OpsError, match=words) as refused:
        host.require_host()
    assert "unit tests" in refused.value.next_step


@pytest.mark.parametrize("release", [{"ID": "debian"}, {"ID": "ubuntu"}, {"ID": "mint", "ID_LIKE": "ubuntu debian"}])
def test_debian_and_its_children_are_hosts(monkeypatch: pytest.MonkeyPatch, release: dict[str, str]) -> None:
    monkeypatch.setattr(host.os, "geteuid", lambda: 0)
    monkeypatch.setattr(host, "_os_release", lambda: release)
    host.require_host()


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a b", "../a", "a" * 40, "1", "a;b", "é"])
def test_names_that_would_leave_their_directory_are_refused(name: str) -> None:
    with pytest.raises(OpsError, match="is not a machine name"):
        state.check_name(name)


def test_bridge_names_fit_the_kernel_and_differ() -> None:
    names = {bridge.bridge_name(lab) for lab in ("a", "b", "x" * 60)}
    assert len(names) == 3
    assert all(len(name) <= 15 for name in names)


def test_a_machine_boots_on_its_bridge_under_its_name() -> None:
    argv = supervise.nspawn_argv({"unique": "fl1", "name": "one", "bridge": "flab-1"}, Path("/root-of-it"))
    assert "--machine=fl1" in argv
    assert "--hostname=one" in argv
    assert "--network-bridge=flab-1" in argv
    assert argv[:3] == ["setpriv", "--pdeathsig", "KILL"]
