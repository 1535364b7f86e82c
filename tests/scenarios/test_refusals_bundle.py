"""Bundles that are refused, by the controller and by the machine, while what served goes on serving."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from material.bundles import BUILT, CONTRACT, Raw, described, info
from sites import Site
from untouched import ask_all, assert_refused, untouched

from filae_ops.lab.machine_inventory import release_key

NAMESPACE = "filae-bundle@1"


@dataclass(frozen=True)
class Bench:
    """Where a bundle is spoilt: a directory, a good bundle and the key that may sign."""

    directory: Path
    good: Path
    key: Path

    def copy(self, content: bytes | None = None) -> Path:
        """Return a good bundle of one's own with the good signature, its content replaced when given."""
        path = self.directory / self.good.name
        shutil.copy(self.good, path)
        shutil.copy(f"{self.good}.sig", f"{path}.sig")
        if content is not None:
            path.write_bytes(content)
        return path

    def sign(self, path: Path, key: Path | None = None, namespace: str = NAMESPACE) -> Path:
        """Sign a file, with the right key unless another is given."""
        Path(f"{path}.sig").unlink(missing_ok=True)
        argv = ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-f", str(key or self.key), str(path)]
        subprocess.run(argv, check=True, capture_output=True)
        return path

    def stranger(self) -> Path:
        """Return a key that nobody knows."""
        path = self.directory / "stranger"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return path

    def raw(self, spoil: Callable[[Raw], None]) -> Path:
        """Return an archive made by hand, signed with the right key."""
        content = b"#!/bin/sh\n"
        folder = {"path": "bin", "type": "dir", "mode": "0755"}
        entry = {"path": "bin/web", "type": "file", "mode": "0755", **described(content)}
        contract = {**CONTRACT, "version": "9.9.9"}
        made = Raw({"format": 1, "contract": contract, "files": [folder, entry], "built": BUILT}, [])
        made.members.append((info("bin", b"", 0o755, tarfile.DIRTYPE), b""))
        made.members.append((info("bin/web", content, 0o755), content))
        spoil(made)
        return self.sign(made.write(self.directory / "filae-9.9.9.tar.zst"))


def unsigned(bench: Bench) -> Path:
    path = bench.copy()
    Path(f"{path}.sig").unlink()
    return path


def empty_signature(bench: Bench) -> Path:
    path = bench.copy()
    Path(f"{path}.sig").write_text("")
    return path


def altered(bench: Bench) -> Path:
    content = bytearray(bench.good.read_bytes())
    content[len(content) // 2] ^= 1
    return bench.copy(bytes(content))


def truncated(bench: Bench) -> Path:
    return bench.copy(bench.good.read_bytes()[:-1000])


def truncated_then_signed(bench: Bench) -> Path:
    return bench.sign(truncated(bench))


def garbage(bench: Bench) -> Path:
    return bench.sign(bench.copy(b"not a bundle" * 100))


def parent(raw: Raw) -> None:
    raw.add("../evil")


def absolute(raw: Raw) -> None:
    raw.add("/etc/evil")


def absolute_link(raw: Raw) -> None:
    raw.link("link", "/etc/shadow")


def leaving_link(raw: Raw) -> None:
    raw.link("bin/link", "../../../etc/shadow")


def not_announced(raw: Raw) -> None:
    raw.members.append((info("zz-extra", b"x"), b"x"))


def other_content(raw: Raw) -> None:
    raw.members[1] = (info("bin/web", b"#!/bin/rm\n", 0o755), b"#!/bin/rm\n")


def line_of_a_unit(raw: Raw) -> None:
    raw.manifest["contract"]["secrets"] = {"x\nExecStartPre=+/bin/touch /pwned": {"generate": "hex64"}}


CASES: dict[str, tuple[Callable[[Bench], Path], tuple[str, ...]]] = {
    "unsigned": (unsigned, (".sig: ", "o such file")),
    "empty signature": (empty_signature, ("signature",)),
    "altered": (altered, ("altered or damaged: its bytes are not those that demo-release signed",)),
    "truncated": (truncated, ("altered or damaged: its bytes are not those that demo-release signed",)),
    "truncated, then signed": (truncated_then_signed, ("archive",)),
    "not an archive": (garbage, ("archive",)),
    "wrong key": (lambda bench: bench.sign(bench.copy(), bench.stranger()), ("key",)),
    "wrong namespace": (lambda bench: bench.sign(bench.copy(), namespace="file"), ("signed for 'file', not for",)),
    "..": (lambda bench: bench.raw(parent), ("../evil",)),
    "absolute path": (lambda bench: bench.raw(absolute), ("/etc/evil",)),
    "absolute link": (lambda bench: bench.raw(absolute_link), ("/etc/shadow",)),
    "link out of the tree": (lambda bench: bench.raw(leaving_link), ("etc/shadow",)),
    "a file that is not announced": (lambda bench: bench.raw(not_announced), ("zz-extra",)),
    "other content than announced": (lambda bench: bench.raw(other_content), ("bin/web",)),
    "a contract that no build made": (
        lambda bench: bench.raw(line_of_a_unit),
        (r"contract.secrets.'x\nExecStartPre=+/bin/touch /pwned': is not a name",),
    ),
}


@pytest.fixture
def bench(bundles: dict[str, Path], tmp_path: Path, deployed: Site) -> Bench:
    return Bench(tmp_path, bundles["2.1.0"], release_key(deployed.machine.lab))


@pytest.mark.parametrize("name", CASES)
def test_a_bad_bundle_is_refused_here_and_on_the_machine(name: str, bench: Bench, deployed: Site) -> None:
    make, said = CASES[name]
    bundle = make(bench)
    with untouched(deployed):
        answers = ask_all(deployed.inventory, ("bundle", "verify", str(bundle)), ("deploy", "--json", str(bundle)))
    for done in answers:
        assert_refused(done, *said)


def test_a_lower_version_is_refused(bench: Bench, deployed: Site) -> None:
    with untouched(deployed):
        bundle = bench.raw(lambda raw: raw.manifest["contract"].update(version="1.9.0"))
        commands = [("deploy", word, str(bundle)) for word in ("--json", "--check")]
        for done in ask_all(deployed.inventory, *commands):
            assert_refused(done, "site: version 1.9.0 is lower than the live 2.0.0: deploy only goes up")


def test_another_application_is_refused(bundles: dict[str, Path], deployed: Site) -> None:
    with untouched(deployed):
        done = deployed.ops("deploy", "--json", str(bundles["1.0.0"]))
        assert_refused(done, "the bundle holds 'minimal', this machine runs 'filae'")


def test_a_bundle_that_is_not_there(deployed: Site) -> None:
    for command in (("deploy", "--json"), ("bundle", "verify")):
        assert_refused(deployed.ops(*command, "/nowhere/filae-9.tar.zst"), "/nowhere/filae-9.tar.zst")


def test_what_served_still_serves(deployed: Site) -> None:
    """Last of this file: every refusal above has left its try."""
    status = json.loads(deployed.ops("status", "--json").stdout)
    assert (status["version"], status["healthy"]) == ("2.0.0", True)
    assert status["last_transaction"]["outcome"] == "committed"


def test_nothing_of_what_was_refused_stays_on_the_machine(deployed: Site) -> None:
    kept = deployed.run("ls /var/lib/filae-ops/incoming").stdout.split()
    assert len([name for name in kept if name.endswith(".tar.zst")]) <= 1, "none but the live release's"
