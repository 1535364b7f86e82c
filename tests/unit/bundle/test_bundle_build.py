from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from bundle_material import RELEASE, make_source

from filae_ops.agent import archive
from filae_ops.bundle import build as building
from filae_ops.bundle import pack
from filae_ops.bundle.build import build
from filae_ops.bundle.verify import verify_bundle
from filae_ops.errors import OpsError


def test_round_trip(source, tmp_path, keys, signers):
    built = build(source, tmp_path / "out", keys.good)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "filae-2.1.0.tar.zst",
        "filae-2.1.0.tar.zst.sig",
    }
    verified = verify_bundle(built.bundle, built.signature, signers)
    assert (verified.principal, verified.contract.version) == ("provider", "2.1.0")
    archive.extract(built.bundle, tmp_path / "release")
    for path in ("release.yml", "bin/web", "lib/big.bin", "lib/é à.rb", "lib/.hidden", "lib/" + "l" * 150):
        assert (tmp_path / "release" / path).read_bytes() == (source / path).read_bytes()


def test_gnu_tar_reads_it_too(good, tmp_path):
    subprocess.run(["tar", "--zstd", "-xf", str(good.bundle), "-C", str(tmp_path)], check=True)
    assert (tmp_path / "lib/é à.rb").read_text() == "accents"
    assert (tmp_path / "lib" / ("l" * 150)).read_text() == "long name"


def test_what_is_left_out_is_said_with_its_reason(good):
    reasons = dict(good.left_out)
    assert set(reasons) == {".git", "Gemfile.lock", "storage", "tmp"}
    assert "attachments" in reasons["storage"]
    assert "gems: debian" in reasons["Gemfile.lock"]
    paths = {entry["path"] for entry in archive.read_manifest(good.bundle)["files"]}
    assert not paths & {".git", "Gemfile.lock", "storage", "storage/patient.pdf", "tmp", "log"}
    assert {"lib/empty", "lib/.hidden"} <= paths


def test_the_same_source_gives_the_same_bytes(source, tmp_path, monkeypatch):
    first = build(source, tmp_path / "one")
    other = shutil.copytree(source, tmp_path / "elsewhere", symlinks=True)
    for path in other.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    (other / "bin/web").chmod(0o755)
    (other / "lib/.hidden").chmod(0o600)
    (other / "storage/another").write_text("left out")
    monkeypatch.setenv("ZSTD_CLEVEL", "19")
    monkeypatch.setenv("ZSTD_NBTHREADS", "2")
    before = os.umask(0o077)
    try:
        second = build(other, tmp_path / "two")
    finally:
        os.umask(before)
    assert first.bundle.read_bytes() == second.bundle.read_bytes()
    assert first.sha256 == second.sha256


def test_the_time_follows_the_content(source, tmp_path):
    """The same size at the same time would keep a stale file in browsers."""
    times = []
    for index, text in enumerate(("<p>one</p>", "<p>two</p>")):
        (source / "public/index.html").write_text(text)
        built = build(source, tmp_path / str(index))
        times.append(archive.read_manifest(built.bundle)["built"]["mtime"])
    assert times[0] != times[1]


@pytest.mark.parametrize(("stated", "mtime"), [("1700000000", 1_700_000_000), ("0", 0)])
def test_source_date_epoch(source, tmp_path, monkeypatch, stated, mtime):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    assert archive.read_manifest(build(source, tmp_path).bundle)["built"]["mtime"] == mtime


@pytest.mark.parametrize("stated", ["-1", "x", "1.5", "9" * 12, "1" * 13, "9" * 5000, "٣"])
def test_bad_source_date_epoch(source, tmp_path, monkeypatch, stated):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    with pytest.raises(OpsError, match="SOURCE_DATE_EPOCH"):
        build(source, tmp_path / "out")


def test_unsigned_takes_the_place_of_signed(source, tmp_path, keys):
    build(source, tmp_path / "out", keys.good)
    built = build(source, tmp_path / "out")
    assert built.signature is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["filae-2.1.0.tar.zst"]


def test_directories_above_files_and_scratch_are_made(tmp_path):
    text = RELEASE.replace("storage", "var/data/storage").replace("[tmp, log]", "[var/tmp]")
    built = build(make_source(tmp_path / "source", text), tmp_path / "out")
    paths = {entry["path"] for entry in archive.read_manifest(built.bundle)["files"]}
    assert {"var", "var/data"} <= paths


def test_output_may_lie_in_scratch(source):
    assert build(source, source / "tmp/bundles").bundle.is_file()


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
