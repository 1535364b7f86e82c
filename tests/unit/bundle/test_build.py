"""What a bundle holds and leaves out, and the same bytes from the same source."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from material.bundles import RELEASE, make_source

from filae_ops.agent.bundle import archive
from filae_ops.bundle.build import build
from filae_ops.bundle.contract import Contract
from filae_ops.bundle.verify_bundle import verify_bundle
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


def test_a_contract_whose_keys_disagree_is_refused_whoever_signed_it(raw, tmp_path, keys, signers):
    raw.manifest["contract"]["min_from"] = "3.0.0"
    bundle = raw.write(tmp_path / "filae-2.1.0.tar.zst")
    sign = ["ssh-keygen", "-Y", "sign", "-q", "-n", "filae-bundle@1", "-f", str(keys.good), str(bundle)]
    subprocess.run(sign, check=True, capture_output=True)
    with pytest.raises(OpsError, match=r"contract\.min_from: 3\.0\.0 is higher than version 2\.1\.0"):
        verify_bundle(bundle, tmp_path / f"{bundle.name}.sig", signers)


def test_a_build_asks_the_machines_own_check_too(source, tmp_path, monkeypatch):
    (source / "release.yml").write_text(f"{RELEASE}min_from: 3.0.0\n")
    monkeypatch.setattr(Contract, "disagreements", lambda contract: [])
    with pytest.raises(OpsError, match=r"contract\.min_from: 3\.0\.0 is higher than version 2\.1\.0"):
        build(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


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
