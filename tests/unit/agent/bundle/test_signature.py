from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filae_ops.agent.bundle import archive, signature
from filae_ops.agent.system.errors import Refused
from filae_ops.bundle.build import Built


@pytest.fixture
def pair(good: Built, tmp_path: Path) -> tuple[Path, Path]:
    bundle = Path(shutil.copy(good.bundle, tmp_path))
    return bundle, Path(shutil.copy(good.signature, tmp_path))


def sign(bundle: Path, key: Path, namespace: str) -> None:
    Path(f"{bundle}.sig").unlink()
    argv = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key), str(bundle)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def flip(path: Path, index: int) -> None:
    data = bytearray(path.read_bytes())
    data[index] ^= 1
    path.write_bytes(data)


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def test_a_good_signature_names_its_principal(pair, signers):
    assert archive.check_signature(*pair, signers) == "provider"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda b, s, k: s.unlink(), "signature .*No such file", id="unsigned"),
        pytest.param(lambda b, s, k: b.unlink(), "bundle .*No such file", id="no bundle"),
        pytest.param(lambda b, s, k: flip(b, 0), "altered or damaged", id="first bit"),
        pytest.param(lambda b, s, k: flip(b, b.stat().st_size // 2), "altered or damaged", id="middle bit"),
        pytest.param(lambda b, s, k: flip(b, -1), "altered or damaged", id="last bit"),
        pytest.param(lambda b, s, k: b.write_bytes(b.read_bytes() + b"\0"), "altered", id="one byte more"),
        pytest.param(lambda b, s, k: cut(b, 0), "altered or damaged", id="empty"),
        pytest.param(lambda b, s, k: cut(b, 0.5), "altered or damaged", id="half"),
        pytest.param(lambda b, s, k: cut(b, 0.9999), "altered or damaged", id="a little less"),
        pytest.param(lambda b, s, k: flip(s, 101), ".", id="signature altered"),
        pytest.param(lambda b, s, k: flip(s, 250), ".", id="signature altered further"),
        pytest.param(lambda b, s, k: cut(s, 0.5), "not an SSH signature", id="signature cut"),
        pytest.param(lambda b, s, k: cut(s, 0), "not an SSH signature", id="signature empty"),
        pytest.param(lambda b, s, k: s.write_bytes(b"x" * 70_000), "not an SSH signature", id="not one"),
        pytest.param(lambda b, s, k: sign(b, k.other, "filae-bundle@1"), "not among the keys", id="wrong key"),
        pytest.param(lambda b, s, k: sign(b, k.good, "file"), "signed for 'file'", id="wrong namespace"),
        pytest.param(lambda b, s, k: sign(b, k.other, "git"), "signed for 'git'", id="both wrong"),
    ],
)
def test_what_is_not_signed_so_is_refused(pair, keys, signers, change: Callable[..., object], said):
    change(*pair, keys)
    with pytest.raises(Refused, match=said) as refusal:
        archive.check_signature(*pair, signers)
    assert refusal.value.next_step


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('provider namespaces="filae-bundle@1",valid-before="20200101Z" KEY', "has expired"),
        ('provider namespaces="filae-bundle@1",valid-after="20980101Z" KEY', "not valid yet"),
        ('provider namespaces="file" KEY', "refused by ssh-keygen"),
        ('provider namespaces="filae-bundle@1" OTHER', "not among the keys"),
        ("provider garbage", "not among the keys"),
        ("", "not among the keys"),
    ],
)
def test_keys_that_are_not_allowed(pair, keys, line, said):
    with pytest.raises(Refused, match=said):
        archive.check_signature(*pair, keys.signers(line))


def test_validity_is_judged_at_the_time_asked(pair, keys):
    signers = keys.signers('provider namespaces="filae-bundle@1",valid-before="20200101Z" KEY')
    assert archive.check_signature(*pair, signers, at=datetime(2019, 12, 31, 23, 59, tzinfo=UTC)) == "provider"
    with pytest.raises(Refused, match="has expired"):
        archive.check_signature(*pair, signers, at=datetime(2020, 1, 1, 0, 1, tzinfo=UTC))


def test_a_renewed_key_is_found_after_an_expired_line(pair, keys):
    signers = keys.signers(
        'old namespaces="filae-bundle@1",valid-before="20200101Z" KEY',
        'new namespaces="filae-bundle@1",valid-before="20990101Z" KEY',
    )
    assert archive.check_signature(*pair, signers) == "new"


def test_no_list_of_signers(pair, tmp_path):
    with pytest.raises(Refused, match="allowed signers"):
        archive.check_signature(*pair, tmp_path / "absent")


def test_pipes_are_refused_and_not_waited_for(pair, signers, tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    for arguments in ((tmp_path / "pipe", pair[1]), (pair[0], tmp_path / "pipe")):
        with pytest.raises(Refused, match="not a regular file"):
            archive.check_signature(*arguments, signers)


def test_the_signature_is_checked_before_a_byte_is_decompressed(pair, keys, monkeypatch):
    from filae_ops.bundle import verify_bundle
    from filae_ops.errors import OpsError

    monkeypatch.setattr(verify_bundle, "check", lambda bundle: pytest.fail("decompressed"))
    with pytest.raises(OpsError, match="not among"):
        verify_bundle.verify_bundle(*pair, keys.signers("x OTHER"))


def test_ssh_keygen_missing(pair, signers, monkeypatch):
    def absent(*_: object, **__: object) -> None:
        raise FileNotFoundError(2, "No such file")

    monkeypatch.setattr(signature.subprocess, "run", absent)
    with pytest.raises(Refused, match="cannot be run"):
        archive.check_signature(*pair, signers)
