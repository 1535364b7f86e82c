"""Random damage, a bounded number of times, from a fixed seed."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from material.bundles import Raw, compressed

from filae_ops.agent.bundle import archive
from filae_ops.agent.system.errors import Refused


def damage(data: bytes, seed: int) -> bytes:
    """Flip, overwrite, cut, repeat or move bytes."""
    chance = random.Random(seed)
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 5, 20])):
        at, length = chance.randrange(len(changed)), chance.choice([1, 1, 2, 8, 100, 512, 1024])
        how = chance.randrange(6)
        if how == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            changed[at : at + length] = chance.randbytes(length)
        elif how == 2:
            del changed[at : at + length]
        elif how == 3:
            changed[at:at] = changed[at : at + length]
        elif how == 4:
            changed[at : at + length] = bytes(len(changed[at : at + length]))
        else:
            block = 512 * chance.randrange(1 + len(changed) // 512)
            changed[at - at % 512 : at - at % 512 + 512] = changed[block : block + 512]
        if len(changed) < 2:
            break
    return bytes(changed)


def refused_or_same(bundle: Path, manifest: dict[str, object]) -> bool:
    """Check and extract; only Refused may come out, and nothing may lie outside of the destination."""
    root = bundle.parent
    before = {path.name for path in root.iterdir()}
    release = root / "inside/release"
    release.parent.mkdir(exist_ok=True)
    try:
        found = archive.extract(bundle, release)
    except Refused:
        assert not release.exists()
        with pytest.raises(Refused):
            archive.check(bundle)
        return True
    finally:
        assert {path.name for path in root.iterdir()} == before | {"inside"}
    archive.verify_tree(release)
    shutil.rmtree(release)
    assert found["files"] == manifest["files"]
    return False


@pytest.mark.parametrize("group", range(8))
def test_a_damaged_tar_is_refused_and_writes_nothing_outside(raw: Raw, tmp_path, group):
    data = raw.tar()[: 512 * 20]
    bundle, refused = tmp_path / "bundle.tar.zst", 0
    for seed in range(group * 40, group * 40 + 40):
        bundle.write_bytes(compressed(damage(data, seed)))
        refused += refused_or_same(bundle, raw.manifest)
    assert refused >= 20  # damage to padding, or to what a header does not mean, changes nothing


@pytest.mark.parametrize("group", range(4))
def test_a_damaged_bundle_is_refused_before_and_after_its_signature(good, signers, tmp_path, group):
    data = good.bundle.read_bytes()
    bundle = tmp_path / "bundle.tar.zst"
    for seed in range(group * 25, group * 25 + 25):
        changed = damage(data, seed)
        if changed == data:
            continue
        bundle.write_bytes(changed)
        with pytest.raises(Refused, match="altered or damaged"):
            archive.check_signature(bundle, good.signature, signers)
        refused_or_same(bundle, archive.read_manifest(good.bundle))
