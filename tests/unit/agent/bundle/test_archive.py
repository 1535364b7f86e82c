"""Archives that are refused whole, one case per row: members, names and links, the manifest as a document."""

from __future__ import annotations

import errno
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from material.bundles import Raw, info

from filae_ops.agent.bundle import archive
from filae_ops.agent.system.errors import Refused, system_errors


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


def endless(raw: Raw) -> None:
    """Links, each of which goes up and down many times and then leads to the next one."""
    for name, following in (("v", "w"), ("w", "x"), ("x", "y"), ("y", "z"), ("z", "a.rb")):
        raw.link(f"lib/{name}", "../lib/" * 13 + following)


def client(directory: str) -> dict[str, object]:
    return {"directory": directory, "otherwise": "app", "hashed": [], "max_body": "1m"}


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
    ("links without end", endless, "through too many links"),
    ("link with a long way", lambda r: r.link("lib/z", "./" * 40 + "a.rb"), "to a target of more than 40 parts"),
    ("file too deep", lambda r: r.add("/".join("x" * 101)), "path of more than 100 parts"),
    (
        "client that is a link",
        lambda r: (r.link("public", "."), contract(client=client("public"))(r)),
        "client.directory: 'public' is not a directory",
    ),
    (
        "client below a link",
        lambda r: (r.link("www", "."), contract(client=client("www/lib"))(r)),
        "client.directory: 'www/lib' is not a directory",
    ),
    ("client that is a file", contract(client=client("bin/web")), "client.directory: 'bin/web' is not a directory"),
    ("client that is absent", contract(client=client("public")), "client.directory: 'public' is not a directory"),
    ("link through a file", lambda r: r.link("lib/z", "a.rb/../.."), "not a directory"),
    ("link out through scratch", lambda r: r.link("lib/z", "../tmp/../.."), "not a directory"),
    ("link without a target", lambda r: r.link("lib/z", ""), "without a target"),
    ("link with a newline", lambda r: r.link("lib/z", "a\nb"), "control character"),
    ("contents of files", lambda r: r.add("storage/x"), "not in a directory"),
    ("the files directory", lambda r: r.add("storage"), "where the machine makes a link"),
    ("lock with Debian's gems", lambda r: r.add("Gemfile.lock"), "gems: debian"),
    ("the name that the lock has first", lambda r: r.add(".Gemfile.lock.new"), ".Gemfile.lock.new inside"),
    ("scratch in the lock's first name", contract(scratch=[".Gemfile.lock.new"]), "is a file of the release"),
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
    ("format of another type", whole(format=True), "not of format 1"),
    ("format with a point", whole(format=1.0), "not of format 1"),
    ("another top key", whole(more=1), "unexpected keys"),
    ("no contract", whole(contract=None), "contract: is not an object (got None)"),
    ("files as an object", whole(files={}), "no list of files"),
    ("no time", whole(built={"by": "x"}), "not `by` and `mtime` alone"),
    ("another time", whole(built={"by": "x", "mtime": 7}), "another time than it states"),
    ("time as text", whole(built={"by": "x", "mtime": "7"}), "built.mtime is not a time: '7'"),
    ("more of the build", whole(built={"by": "x", "mtime": 7, "on": "x"}), "not `by` and `mtime` alone"),
    ("builder of two lines", whole(built={"by": "x\ny", "mtime": 7}), r"not the name of a program: 'x\ny'"),
    ("builder of no end", whole(built={"by": "x" * 101, "mtime": 7}), "not the name of a program"),
    ("builder as a list", whole(built={"by": ["x"], "mtime": 7}), "not the name of a program: list"),
    ("unsafe name", contract(name="../x"), "contract.name: is not a name (a-z, 0-9, - and _ inside) (got '../x')"),
    ("unsafe version", contract(version="1.0/.."), "contract.version: is not a version"),
    ("no gems", contract(gems="other"), "contract.gems: is not one of debian, vendored (got 'other')"),
    ("no scratch", contract(scratch=None), "contract.scratch: is not a list (got None)"),
    ("scratch leaves", contract(scratch=["../x"]), "`..` part"),
    ("scratch without its directory", contract(scratch=["a/b"]), "not in a directory of the bundle"),
    ("scratch for the manifest", contract(scratch=["MANIFEST.json"]), "is a file of the release"),
    (
        "files for the lock",
        contract(gems="vendored", files=[{"name": "x", "path": "Gemfile.lock"}]),
        "is a file of the release",
    ),
    ("files absolute", contract(files=[{"name": "x", "path": "/x"}]), "absolute name"),
    (
        "files with an unsafe name",
        contract(files=[{"name": "../x", "path": "x"}]),
        "contract.files.0.name: is not a name",
    ),
    ("files without a path", contract(files=[{"name": "x"}]), "contract.files.0.path: is missing"),
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


@pytest.mark.parametrize(
    ("content", "limit", "read"),
    [(b"## 2.1.0\n", 100, b"## 2.1.0\n"), (b"x" * 101, 100, b""), (None, 100, b"")],
    ids=["as it is", "too large", "absent"],
)
def test_one_file_can_be_read_without_the_others(
    raw: Raw, tmp_path: Path, content: bytes | None, limit: int, read: bytes
) -> None:
    if content is not None:
        raw.add("CHANGELOG.md", content)
    assert archive.read_file(raw.write(tmp_path / "b"), "CHANGELOG.md", limit) == read


@pytest.mark.parametrize(
    ("number", "owner"), [(errno.ENOSPC, "dsi"), (errno.EDQUOT, "dsi"), (errno.EACCES, "provider")]
)
def test_a_full_disk_is_the_dsis(number: int, owner: str) -> None:
    with pytest.raises(Refused, match="/opt/x: ") as caught, system_errors(Path("/opt")):
        raise OSError(number, "what it is", "/opt/x")
    assert caught.value.owner == owner
