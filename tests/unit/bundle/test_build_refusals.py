"""Sources and places that no bundle is built from or in, and builds that fail: the bundle before stays."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from material.bundles import RELEASE

from filae_ops.bundle import build as building
from filae_ops.bundle import pack
from filae_ops.bundle.build import build
from filae_ops.errors import OpsError


def a_socket(source: Path) -> None:
    place = Path.cwd()
    os.chdir(source / "lib")
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("s")
    finally:
        os.chdir(place)


def swap(old: str, new: str):
    return lambda source: (source / "release.yml").write_text(RELEASE.replace(old, new))


def vendored_without_lock(source: Path) -> None:
    swap("gems: debian", "gems: vendored")(source)
    (source / "Gemfile").write_text("")
    (source / "Gemfile.lock").unlink()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: os.mkfifo(s / "lib/pipe"), "lib/pipe: not a file, a directory or a link"),
        (a_socket, "lib/s: not a file, a directory or a link"),
        (lambda s: (s / "lib/a\nb").write_text(""), "control character"),
        (lambda s: (s / "lib/a\x7fb").write_text(""), "control character"),
        (lambda s: Path(os.fsdecode(bytes(s / "lib") + b"/\xff")).write_text(""), "not UTF-8"),
        (lambda s: (s / "MANIFEST.json").write_text(""), "the build writes this file"),
        (lambda s: (s / "lib/out").symlink_to("../../x"), "'lib/out' is a link out of the tree"),
        (lambda s: (s / "lib/out").symlink_to("/etc/passwd"), "'lib/out' is a link to an absolute path"),
        (lambda s: (s / "lib/out").symlink_to(s / "bin/web"), "'lib/out' is a link to an absolute path"),
        (lambda s: (s / "lib/loop").symlink_to("loop"), "'lib/loop' is a link through too many links"),
        (lambda s: (s / "release.yml").unlink(), "release.yml: no such file"),
        (lambda s: (s / "bin/web").unlink(), "processes.web: the release has no bin/web"),
        (lambda s: (s / "bin/web").chmod(0o644), "processes.web: bin/web is not executable"),
        (vendored_without_lock, "no Gemfile.lock"),
        (swap("memory: 400M", "memory: 400M\nclient: {directory: dist}"), "no directory dist"),
        (swap("memory: 400M", "memory: 400M\nclient: {directory: public, otherwise: x.html}\n")
         , "only /api/ goes"),
        (swap("path: /up}\nmemory: 400M",
              "path: /api/up}\nmemory: 400M\nclient: {directory: public, otherwise: x.html}\n"),
         "public has no x.html"),
        (swap("path: storage", "path: release.yml/x"), "not a directory"),
    ],
)  # fmt: skip
def test_a_source_that_is_refused(source, tmp_path, change, said):
    change(source)
    with pytest.raises(OpsError) as refusal:
        build(source, tmp_path / "out")
    assert said in str(refusal.value)
    assert refusal.value.next_step
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("place", "target", "refused"),
    [
        ("public/own", "index.html", False),
        ("public/js/own", "../index.html", False),
        ("public/js/own", "./../js/./x.js", False),
        ("lib/own", "../public/index.html", False),
        ("public/out", "../release.yml", True),
        ("public/js/out", "../../release.yml", True),
        ("public/js/out", ".././../lib", True),
        ("public/js/out", "../js/../../lib", True),
        ("public/js/store", "../../storage/one", True),
    ],
)
def test_links_of_the_client_stay_in_it(source, tmp_path, place, target, refused):
    """Nginx serves to anyone what they lead to."""
    text = RELEASE.replace("memory: 400M", "memory: 400M\nclient: {directory: public}")
    (source / "release.yml").write_text(text)
    (source / "public/js").mkdir()
    (source / "public/js/x.js").write_text("")
    (source / place).symlink_to(target)
    if refused:
        with pytest.raises(OpsError, match="is a link out of public, which anyone may read"):
            build(source, tmp_path / "out")
    else:
        assert build(source, tmp_path / "out").bundle.is_file()


@pytest.mark.parametrize("inside", ["", "out", "lib/out"])
def test_output_inside_the_source(source, inside):
    with pytest.raises(OpsError, match="each bundle would hold the one before"):
        build(source, source / inside)


def test_no_source(tmp_path):
    with pytest.raises(OpsError, match="not a directory"):
        build(tmp_path / "absent", tmp_path / "out")


def test_output_is_a_file(source, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OpsError, match="File exists"):
        build(source, tmp_path / "out")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such key"),
        (lambda path: path.write_text("not a key"), "did not sign"),
        (lambda path: path.mkdir(), "no such key"),
    ],
)
def test_a_bad_key_leaves_nothing(source, tmp_path, make, said):
    make(tmp_path / "key")
    with pytest.raises(OpsError, match=said):
        build(source, tmp_path / "out", tmp_path / "key")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("change", ["longer than it was before", "<p>HELLO</p>", ""])
def test_a_file_that_changes_during_the_build(source, tmp_path, monkeypatch, change):
    real = pack.manifest_bytes

    def late(*arguments: object) -> bytes:
        (source / "public/index.html").write_text(change)
        return real(*arguments)

    monkeypatch.setattr(building, "manifest_bytes", late)
    with pytest.raises(OpsError, match=r"index\.html: changed during the build"):
        build(source, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_zstd_fails(source, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "ZSTD", ["false"])
    with pytest.raises(OpsError, match="zstd could not write"):
        build(source, tmp_path / "out")
    monkeypatch.setattr(pack, "ZSTD", ["/absent/zstd"])
    with pytest.raises(OpsError, match="zstd cannot be run"):
        build(source, tmp_path / "out")


def test_a_failed_build_keeps_the_bundle_before(source, tmp_path, keys, monkeypatch):
    before = build(source, tmp_path / "out", keys.good).bundle.read_bytes()
    (source / "public/index.html").write_text("changed")
    monkeypatch.setattr(pack, "ZSTD", ["false"])
    with pytest.raises(OpsError):
        build(source, tmp_path / "out", keys.good)
    assert (tmp_path / "out/filae-2.1.0.tar.zst").read_bytes() == before
    assert (tmp_path / "out/filae-2.1.0.tar.zst.sig").is_file()
