"""The stream under the archive: other tars, truncation, bombs, headers."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile

import pytest
from material.bundles import Raw, compressed

from filae_ops.agent.bundle import archive, manifest, tar
from filae_ops.agent.bundle.tar import Member
from filae_ops.agent.system.errors import Refused


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
def test_an_archive_of_another_tar_is_read_when_it_is_the_same(raw: Raw, tmp_path, form):
    raw.form = form
    if form == tarfile.PAX_FORMAT:
        raw.add("lib/" + "é" * 120)
    bundle = raw.write(tmp_path / "bundle.tar.zst")
    assert archive.check(bundle) == archive.read_manifest(bundle) == raw.manifest
    assert archive.extract(bundle, tmp_path / "release") == raw.manifest
    archive.verify_tree(tmp_path / "release")


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.9, 0.99, 0.9999])
def test_truncated(good, tmp_path, share):
    data = good.bundle.read_bytes()
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Refused):
        archive.check(bundle)
    with pytest.raises(Refused):
        archive.extract(bundle, tmp_path / "release")
    assert not (tmp_path / "release").exists()


@pytest.mark.parametrize("missing", [1, 511, 512, 1024, 1025, 2000])
def test_a_tar_truncated_inside_a_good_zstd_frame(raw: Raw, tmp_path, missing):
    data = raw.tar().rstrip(b"\0")
    data += bytes(-len(data) % 512) + bytes(1024)
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(data[:-missing]))
    with pytest.raises(Refused, match=r"truncated|missing"):
        archive.check(bundle)


def test_the_end_of_the_frame_is_checked(good, tmp_path):
    data = bytearray(good.bundle.read_bytes())
    data[-1] ^= 1  # the checksum of the content
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(data)
    with pytest.raises(Refused, match=r"damaged: .*[Cc]hecksum"):
        archive.check(bundle)


@pytest.mark.parametrize("content", [b"", b"not compressed", b"PK\3\4", b"\x1f\x8b\x08"])
def test_not_a_bundle(tmp_path, content):
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(content)
    with pytest.raises(Refused):
        archive.check(bundle)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), os.mkfifo])
def test_not_a_file(tmp_path, make):
    make(tmp_path / "bundle.tar.zst")
    for call in (archive.check, archive.read_manifest, lambda path: archive.extract(path, tmp_path / "out")):
        with pytest.raises(Refused, match="bundle "):
            call(tmp_path / "bundle.tar.zst")


def zeros(count: int) -> bytes:
    argv = f"head -c {count} /dev/zero | zstd -q -1 -c"
    return subprocess.run(["sh", "-c", argv], stdout=subprocess.PIPE, check=True).stdout


def test_a_bomb_after_the_archive_stops_at_once(raw: Raw, tmp_path):
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(raw.tar()) + zeros(2**30))
    with pytest.raises(Refused, match="data after its end"):
        archive.check(bundle)


def test_a_bomb_in_a_member_stops_at_its_header(raw: Raw, tmp_path):
    """Its header states 8 GiB where the manifest states 600 bytes: not a byte of it is read."""
    head = tar.header(Member("lib/a.rb", "file", 0o644, 2**33 - 1, "", 1_000_000_000))
    data = raw.tar()
    start = data.index(b"lib/a.rb\0")
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(data[:start] + head) + zeros(2**30))
    with pytest.raises(Refused, match="its size is not the manifest's"):
        archive.extract(bundle, tmp_path / "release")
    assert not (tmp_path / "release").exists()


@pytest.mark.parametrize("size", [manifest.MAX_MANIFEST + 1, 2**33 - 1])
def test_a_bomb_as_manifest(tmp_path, size):
    head = tar.header(Member("MANIFEST.json", "file", 0o644, size, "", 0))
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(head) + zeros(2**28))
    with pytest.raises(Refused, match="larger than"):
        archive.check(bundle)


def test_a_bomb_as_long_name(tmp_path):
    head = bytearray(tar.header(Member("MANIFEST.json", "file", 0o644, 2**30, "", 0)))
    head[156:157] = b"x"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(bytes(head)) + zeros(2**28))
    with pytest.raises(Refused, match="pax header"):
        archive.check(bundle)


def test_sizes_are_bounded_in_all(raw: Raw, tmp_path):
    raw.entry("lib/a.rb")["size"] = manifest.MAX_TOTAL
    with pytest.raises(Refused, match="bytes in all"):
        archive.check(raw.write(tmp_path / "bundle.tar.zst"))


@pytest.mark.parametrize(
    "records",
    [b"30 mtime=1.5\n", b"11 path=a\n\n", b"9 path=a\n9 path=b\n", b"99999 path=a\n", b"0 path=a\n",
     b"path=a\n", b"-9 path=a\n", b"14 size=600000\n", b"12 path=\xff\xfe\xfd\n", b"7 path\n", b"\n", b" "],
)  # fmt: skip
def test_pax_headers_hold_names_alone(raw: Raw, tmp_path, records):
    head = bytearray(tar.header(Member("x", "file", 0o644, len(records), "", 0)))
    head[156:157] = b"x"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(bytes(head) + tar.pad(records) + raw.tar()))
    with pytest.raises(Refused):
        archive.check(bundle)


@pytest.mark.parametrize("path", ["a" * 100, "a" * 101, "é", "d/" + "é" * 127, "/".join(["part" * 20] * 12)])
@pytest.mark.parametrize("target", ["", "t" * 100, "t" * 101, "à/b"])
def test_headers_are_read_as_written_by_us_and_by_tarfile(path, target):
    member = Member(path, "link" if target else "file", 0o777 if target else 0o644, 0, target, 1_700_000_000)
    data = tar.header(member) + bytes(1024)
    assert tar.TarReader(io.BytesIO(data)).next() == member
    with tarfile.open(fileobj=io.BytesIO(data)) as other_reader:
        (other,) = other_reader.getmembers()
    assert (other.name, other.linkname, other.mode, other.mtime) == (path, target, member.mode, member.mtime)
