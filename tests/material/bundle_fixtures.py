"""Real keys, a real source tree and real bundles."""

from __future__ import annotations

import copy
import subprocess
import tarfile
from pathlib import Path

import pytest
from material.bundles import BUILT, CONTRACT, Keys, Raw, described, info, make_source

from filae_ops.bundle.build import Built, build


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    directory = tmp_path_factory.mktemp("keys")
    for name in ("good", "other"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(directory / name)]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return Keys(directory / "good", directory / "other", directory)


@pytest.fixture(scope="session")
def signers(keys: Keys) -> Path:
    return keys.signers('provider namespaces="filae-bundle@1",valid-before="20990101Z" KEY')


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "source")


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Built:
    """One signed bundle; tests copy it before they change it."""
    root = tmp_path_factory.mktemp("good")
    return build(make_source(root / "source"), root / "out", keys.good)


@pytest.fixture
def raw() -> Raw:
    """A small archive that is good until a test changes it."""
    files = [
        {"path": "bin", "type": "dir", "mode": "0755"},
        {"path": "bin/web", "type": "file", "mode": "0755", **described(b"#!/bin/sh\n")},
        {"path": "lib", "type": "dir", "mode": "0755"},
        {"path": "lib/a.rb", "type": "file", "mode": "0644", **described(b"a" * 600)},
        {"path": "lib/web", "type": "link", "mode": "0777", "target": "../bin/web"},
    ]
    link = info("lib/web", b"", 0o777, tarfile.SYMTYPE)
    link.linkname = "../bin/web"
    members = [
        (info("bin", b"", 0o755, tarfile.DIRTYPE), b""),
        (info("bin/web", b"#!/bin/sh\n", 0o755), b"#!/bin/sh\n"),
        (info("lib", b"", 0o755, tarfile.DIRTYPE), b""),
        (info("lib/a.rb", b"a" * 600), b"a" * 600),
        (link, b""),
    ]
    manifest = {"format": 1, "contract": copy.deepcopy(CONTRACT), "files": files, "built": dict(BUILT)}
    return Raw(manifest, members)
