from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable

import pytest
from bundle_material import Raw, compressed, info

from filae_ops.agent import archive, manifest, tarstream
from filae_ops.agent.errors import Refused
from filae_ops.agent.tarstream import Member


def lengthen(raw: Raw) -> None:
    raw.members.append((info("zzz", b"x"), b"x"))


def swap(raw: Raw) -> None:
    raw.members[1], raw.members[3] = raw.members[3], raw.members[1]


def set_member(path: str, **changes: object) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        for key, value in changes.items():
            setattr(raw.member(path), key, value)

    return change


def set_entry(path: str, **changes: object) -> Callable[[Raw], None]:
    return lambda raw: raw.entry(path).update(changes)


def replace(path: str, content: bytes) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        raw.members = [(m, content if m.name == path else data) for m, data in raw.members]

    return change


def contract(**changes: object) -> Callable[[Raw], None]:
    return lambda raw: raw.manifest["contract"].update(changes)


def whole(**changes: object) -> Callable[[Raw], None]:
    return lambda raw: raw.manifest.update(changes)


def text(data: bytes) -> Callable[[Raw], None]:
    return lambda raw: setattr(raw, "raw_manifest", data)


CASES: list[tuple[str, Callable[[Raw], object], str]] = [
    # Members that are not the manifest's.
    ("extra member", lengthen, "'zzz' is not in the manifest"),
    ("missing at the end", lambda r: r.members.pop(), "'lib/web' is in the manifest and missing"),
    ("missing in the middle", lambda r: r.members.pop(1), "'bin/web' is in the manifest and missing"),
    ("duplicate member", lambda r: r.members.insert(1, r.members[0]), "'bin' comes twice"),
    ("duplicate at the end", lambda r: r.members.append(r.members[3]), "'lib/a.rb' comes twice"),
    ("order", swap, "missing before"),
    ("wrong sha", set_entry("lib/a.rb", sha256="0" * 64), "sha256 is not the manifest's"),
    ("other content", replace("lib/a.rb", b"b" * 600), "sha256 is not the manifest's"),
    ("wrong size", set_entry("lib/a.rb", size=599), "its size is not"),
    ("wrong mode", set_entry("lib/a.rb", mode="0755"), "its mode is not"),
    ("setuid member", set_member("bin/web", mode=0o4755), "its mode is not"),
    ("writable member", set_member("bin/web", mode=0o777), "its mode is not"),
    ("other target", set_member("lib/web", linkname="a.rb"), "its target is not"),
    ("other kind", set_member("lib/web", type=tarfile.REGTYPE, linkname=""), "its kind is not"),
    ("other time", set_member("lib/a.rb", mtime=5), "its mtime is not"),
    ("renamed member", set_member("lib/a.rb", name="lib/b.rb"), "'lib/b.rb' is not in the manifest"),
    ("dot-dot member", set_member("lib/a.rb", name="../a.rb"), "'../a.rb' is not in the manifest"),
    ("absolute member", set_member("lib/a.rb", name="/etc/passwd"), "'/etc/passwd' is not in the manifest"),
    ("dot-slash member", set_member("lib/a.rb", name="./lib/a.rb"), "is not in the manifest"),
    # Kinds that no bundle has.
    ("hard link", set_member("lib/web", type=tarfile.LNKTYPE, linkname="/etc/passwd"), "is a hard link"),
    ("character device", set_member("lib/web", type=tarfile.CHRTYPE), "is a device"),
    ("block device", set_member("lib/web", type=tarfile.BLKTYPE), "is a device"),
    ("pipe", set_member("lib/web", type=tarfile.FIFOTYPE), "is a named pipe"),
    ("sparse file", set_member("lib/web", type=b"S"), "unknown kind"),
    ("GNU dialect", lambda r: setattr(r, "form", tarfile.GNU_FORMAT), "damaged header"),
    ("not of root", set_member("bin/web", uid=1000), "root does not own"),
    ("not of root's group", set_member("bin/web", gid=1000), "root does not own"),
    ("manifest not first", lambda r: setattr(r, "manifest_at", 1), "MANIFEST.json is not its first"),
    ("no manifest", lambda r: setattr(r, "manifest_at", 99), "MANIFEST.json is not its first"),
    ("data after the end", lambda r: setattr(r, "tail", b"x" * 512), "data after its end"),
    ("a second archive after the end", lambda r: setattr(r, "tail", r.tar()), "data after its end"),
    ("a long padding", lambda r: setattr(r, "tail", bytes(10**6)), "data after its end"),
    # Names and links that the manifest itself states.
    ("dot-dot name", lambda r: r.add("lib/../../x"), "`..` part"),
    ("absolute name", lambda r: r.add("/etc/cron.d/x"), "absolute name"),
    ("empty part", lambda r: r.add("lib//x"), "`..` part"),
    ("newline in a name", lambda r: r.add("lib/a\nb"), "control character"),
    ("surrogate in a name", lambda r: r.manifest["files"][0].update(path="a\ud800"), "control character"),
    ("name too long", lambda r: r.manifest["files"][0].update(path="n" * 256), "too long"),
    ("duplicate name", lambda r: r.manifest["files"].insert(3, r.manifest["files"][3]), "duplicate or out"),
    ("entries out of order", lambda r: r.manifest["files"].reverse(), "duplicate or out"),
    ("file without its directory", lambda r: r.add("usr/x"), "not in a directory"),
    ("file below a file", lambda r: r.add("lib/a.rb/x"), "not in a directory"),
    ("file below a link", lambda r: r.add("lib/web/x"), "not in a directory"),
    ("absolute link", lambda r: r.link("lib/z", "/etc/passwd"), "to an absolute path"),
    ("link out", lambda r: r.link("lib/z", "../../etc"), "out of the tree"),
    ("link out and in", lambda r: r.link("lib/z", "../../release/bin"), "out of the tree"),
    ("link out through a link", lambda r: (r.link("a", "lib"), r.link("b", "a/../../x")), "out of the tree"),
    ("link to itself", lambda r: r.link("lib/z", "z"), "too many links"),
    ("link through a file", lambda r: r.link("lib/z", "a.rb/../.."), "not a directory"),
    ("link out through scratch", lambda r: r.link("lib/z", "../tmp/../.."), "not a directory"),
    ("link without a target", lambda r: r.link("lib/z", ""), "without a target"),
    ("link with a newline", lambda r: r.link("lib/z", "a\nb"), "control character"),
    ("contents of files", lambda r: r.add("storage/x"), "not in a directory"),
    ("the files directory", lambda r: r.add("storage"), "where the machine makes a link"),
    ("lock with Debian's gems", lambda r: r.add("Gemfile.lock"), "gems: debian"),
    ("the manifest in itself", lambda r: r.add("MANIFEST.json"), "lists itself"),
    ("setuid stated", set_entry("bin/web", mode="4755"), "setuid"),
    ("world-writable stated", set_entry("bin", mode="0777"), "setuid, or not 0755"),
    ("mode as a number", set_entry("bin/web", mode=493), "mode 493"),
    ("negative size", set_entry("lib/a.rb", size=-1), "not a size"),
    ("size as text", set_entry("lib/a.rb", size="600"), "not a size"),
    ("size true", set_entry("lib/a.rb", size=True), "not a size"),
    ("sha in capitals", set_entry("lib/a.rb", sha256="A" * 64), "not a sha256"),
    ("another key", set_entry("lib/a.rb", owner="root"), "not a file, a directory or a link"),
    ("device stated", set_entry("lib/a.rb", type="device"), "not a file, a directory or a link"),
    ("kind as a list", set_entry("lib/a.rb", type=["file"]), "not a file, a directory or a link"),
    ("entry as text", lambda r: r.manifest["files"].append("x"), "not a file, a directory or a link"),
    # The manifest as a document.
    ("other format", whole(format=2), "not of format 1"),
    ("another top key", whole(more=1), "unexpected keys"),
    ("no contract", whole(contract=None), "no contract"),
    ("files as an object", whole(files={}), "no list of files"),
    ("no time", whole(built={}), "not a time"),
    ("another time", whole(built={"mtime": 7}), "another time than it states"),
    ("time as text", whole(built={"mtime": "7"}), "not a time"),
    ("unsafe name", contract(name="../x"), "without a name"),
    ("unsafe version", contract(version="1.0/.."), "without a version"),
    ("no gems", contract(gems="other"), "without gems"),
    ("no scratch", contract(scratch=None), "without gems, files or scratch"),
    ("scratch leaves", contract(scratch=["../x"]), "`..` part"),
    ("scratch without its directory", contract(scratch=["a/b"]), "not in a directory of the bundle"),
    ("files absolute", contract(files=[{"name": "x", "path": "/x"}]), "absolute name"),
    ("files with an unsafe name", contract(files=[{"name": "../x", "path": "x"}]), "unsafe name"),
    ("files without a path", contract(files=[{"name": "x"}]), "not a path"),
    ("not JSON", text(b"{"), "not JSON"),
    ("not UTF-8", text(b'{"format": "\xff"}'), "not JSON"),
    ("an empty document", text(b""), "not JSON"),
    ("a list", text(b"[]"), "not of format"),
    ("a duplicate key", text(b'{"format": 1, "format": 1}'), "duplicate key"),
    ("nested deep", text(b"[" * 100_000), "not JSON"),
    ("nested deep in an entry", text(b'{"format":1,"files":' + b"[" * 900 + b"]" * 900 + b"}"), "unexpected"),
    ("not a number", text(b'{"format": NaN}'), "not JSON"),
]


@pytest.mark.parametrize(("change", "said"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_is_refused(raw: Raw, tmp_path, change, said):
    change(raw)
    bundle = raw.write(tmp_path / "bundle.tar.zst")
    with pytest.raises(Refused) as checked:
        archive.check(bundle)
    assert said in checked.value.message
    with pytest.raises(Refused):
        archive.extract(bundle, tmp_path / "release")
    assert list(tmp_path.iterdir()) == [bundle]


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
    head = tarstream.header(Member("lib/a.rb", "file", 0o644, 2**33 - 1, "", 1_000_000_000))
    data = raw.tar()
    start = data.index(b"lib/a.rb\0")
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(data[:start] + head) + zeros(2**30))
    with pytest.raises(Refused, match="its size is not the manifest's"):
        archive.extract(bundle, tmp_path / "release")
    assert not (tmp_path / "release").exists()


@pytest.mark.parametrize("size", [manifest.MAX_MANIFEST + 1, 2**33 - 1])
def test_a_bomb_as_manifest(tmp_path, size):
    head = tarstream.header(Member("MANIFEST.json", "file", 0o644, size, "", 0))
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(head) + zeros(2**28))
    with pytest.raises(Refused, match="larger than"):
        archive.check(bundle)


def test_a_bomb_as_long_name(tmp_path):
    head = bytearray(tarstream.header(Member("MANIFEST.json", "file", 0o644, 2**30, "", 0)))
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
    head = bytearray(tarstream.header(Member("x", "file", 0o644, len(records), "", 0)))
    head[156:157] = b"x"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    bundle = tmp_path / "bundle.tar.zst"
    bundle.write_bytes(compressed(bytes(head) + tarstream.pad(records) + raw.tar()))
    with pytest.raises(Refused):
        archive.check(bundle)


@pytest.mark.parametrize("path", ["a" * 100, "a" * 101, "é", "d/" + "é" * 127, "/".join(["part" * 20] * 12)])
@pytest.mark.parametrize("target", ["", "t" * 100, "t" * 101, "à/b"])
def test_headers_are_read_as_written_by_us_and_by_tarfile(path, target):
    member = Member(path, "link" if target else "file", 0o777 if target else 0o644, 0, target, 1_700_000_000)
    data = tarstream.header(member) + bytes(1024)
    assert tarstream.TarReader(io.BytesIO(data)).next() == member
    with tarfile.open(fileobj=io.BytesIO(data)) as other_reader:
        (other,) = other_reader.getmembers()
    assert (other.name, other.linkname, other.mode, other.mtime) == (path, target, member.mode, member.mtime)
