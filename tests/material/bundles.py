"""Real keys, a real source tree, real bundles, and archives with anything in them."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RELEASE = """\
name: filae
version: 2.1.0
ruby: "3.3"
gems: debian
files: [{name: attachments, path: storage}]
scratch: [tmp, log]
processes: {web: [bin/web]}
health: {path: /up}
memory: 400M
"""
MTIME = 1_000_000_000
BUILT = {"by": "by hand", "mtime": MTIME}


@dataclass(frozen=True)
class Keys:
    """Two key pairs, and lists of allowed signers."""

    good: Path
    other: Path
    directory: Path

    def signers(self, *lines: str) -> Path:
        """Write a list of allowed signers; KEY stands for the good key, OTHER for the other."""
        text = "\n".join(lines).replace("KEY", public(self.good)).replace("OTHER", public(self.other))
        path = self.directory / f"signers-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        path.write_text(text + "\n")
        return path


def public(key: Path) -> str:
    return " ".join(Path(f"{key}.pub").read_text().split()[:2])


def make_source(root: Path, release: str = RELEASE) -> Path:
    for name in ("bin", "lib/empty", "storage", "tmp", "public", ".git"):
        (root / name).mkdir(parents=True)
    (root / "release.yml").write_text(release)
    (root / "bin/web").write_text("#!/bin/sh\n")
    (root / "bin/web").chmod(0o700)
    (root / "lib/.hidden").write_text("dotfile")
    (root / "lib/é à.rb").write_text("accents")
    (root / ("lib/" + "l" * 150)).write_text("long name")
    (root / "lib/empty.rb").write_bytes(b"")
    (root / "lib/big.bin").write_bytes(hashlib.shake_256(b"seed").digest(700_000))
    (root / "lib/web").symlink_to("../bin/web")
    (root / "lib/store").symlink_to("../storage/one")
    (root / "public/index.html").write_text("<p>hello</p>")
    (root / "storage/patient.pdf").write_text("never in a bundle")
    (root / "Gemfile.lock").write_text("made elsewhere")
    (root / ".git/config").write_text("[core]")
    return root


@dataclass
class Raw:
    """An archive made by hand: a manifest, and members that may disagree with it."""

    manifest: dict[str, Any]
    members: list[tuple[tarfile.TarInfo, bytes]]
    form: int = tarfile.USTAR_FORMAT
    tail: bytes = b""
    raw_manifest: bytes | None = None
    manifest_at: int = 0

    def entry(self, path: str) -> dict[str, Any]:
        return next(entry for entry in self.manifest["files"] if entry["path"] == path)

    def member(self, path: str) -> tarfile.TarInfo:
        return next(info for info, _ in self.members if info.name == path)

    def add(self, path: str, content: bytes = b"x", **changes: Any) -> None:
        """Add a file to the manifest, in order, and to the members."""
        entry = {"path": path, "type": "file", "mode": "0644", **described(content), **changes}
        for key in [key for key, value in entry.items() if value is None]:
            del entry[key]
        self.manifest["files"] = sorted([*self.manifest["files"], entry], key=lambda each: str(each["path"]))
        self.members = sorted([*self.members, (info(path, content), content)], key=lambda pair: pair[0].name)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link to both."""
        self.add(path, b"", type="link", mode="0777", target=target, size=None, sha256=None)
        self.member(path).type, self.member(path).linkname = tarfile.SYMTYPE, target
        self.member(path).mode = 0o777

    def tar(self) -> bytes:
        """Return the archive, not compressed."""
        data = self.raw_manifest if self.raw_manifest is not None else json.dumps(self.manifest).encode()
        members = [*self.members]
        members.insert(self.manifest_at, (info("MANIFEST.json", data), data))
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=self.form) as archive:
            for member, content in members:
                archive.addfile(member, io.BytesIO(content))
        return stream.getvalue() + self.tail

    def write(self, path: Path) -> Path:
        """Write the archive, compressed."""
        path.write_bytes(compressed(self.tar()))
        return path


def described(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def info(path: str, content: bytes, mode: int = 0o644, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(path)
    made.size, made.mode, made.mtime, made.type = len(content), mode, MTIME, kind
    return made


def compressed(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


CONTRACT = {
    "name": "filae",
    "version": "2.1.0",
    "ruby": "3.3",
    "debian_packages": [],
    "gems": "debian",
    "env": {},
    "settings": {},
    "secrets": {},
    "database": {"locale": "C.UTF-8", "extensions": []},
    "files": [{"name": "attachments", "path": "storage"}],
    "scratch": ["tmp"],
    "processes": {"web": ["bin/web"]},
    "timers": {},
    "health": {"path": "/up", "status": 200},
    "memory": 400 * 1024 * 1024,
}
