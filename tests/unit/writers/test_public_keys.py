"""Public keys, against what ssh-keygen makes and says."""

from __future__ import annotations

import base64
import struct
import subprocess

import pytest

from filae_ops.writers.public_keys import parse_public_key

MADE = [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 3072)]


def make(tmp_path, kind, bits):
    size = ["-b", str(bits)] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "a b", "-f", tmp_path / "k"], check=True)
    return (tmp_path / "k.pub").read_text().strip()


def line(kind: str, *fields: bytes) -> str:
    blob = b"".join(struct.pack(">I", len(field)) + field for field in (kind.encode(), *fields))
    return f"{kind} {base64.b64encode(blob).decode()}"


@pytest.mark.parametrize(("kind", "bits"), MADE)
def test_a_good_key(tmp_path, kind, bits):
    key = parse_public_key(make(tmp_path, kind, bits))
    listed = subprocess.run(["ssh-keygen", "-l", "-f", tmp_path / "k.pub"], capture_output=True, text=True, check=True)
    assert key.fingerprint == listed.stdout.split()[1]
    assert key.comment == "a b"
    assert (tmp_path / "k.pub").read_text().startswith(key.text)


def test_keys_of_hardware_tokens():
    assert parse_public_key(line("sk-ssh-ed25519@openssh.com", b"x" * 32, b"ssh:")).kind.startswith("sk-")
    point = b"\x04" + b"y" * 64
    parse_public_key(line("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point, b"ssh:"))


SMALL = (1 << 2047 | 1).to_bytes(257, "big")
ED = line("ssh-ed25519", b"x" * 32)
BAD = [
    ("", "not an OpenSSH public key"),
    ("ssh-ed25519", "not an OpenSSH public key"),
    ("ssh-ed25519 !!!!", "cut or altered"),
    (ED[:-4], "cut or altered"),
    (ED[:-1] + "A=", "cut or altered"),
    (line("ssh-ed25519", b"x" * 31), "does not have 32 bytes"),
    (line("ssh-ed25519", b"x" * 32, b"more"), "does not have 32 bytes"),
    (line("ssh-rsa", b"\x01\x00\x01", SMALL), "an RSA key of 2048 bits"),
    (line("ssh-rsa", b"\x01", (1 << 3072 | 1).to_bytes(400, "big")), "impossible numbers"),
    (line("ssh-dss", b"x"), "a DSA key"),
    (line("ssh-ed25519", b"x" * 32).replace("ssh-ed25519", "ssh-rsa", 1), "holds another type"),
    (line("ecdsa-sha2-nistp256", b"nistp384", b"\x04" + b"y" * 64), "cut or altered"),
    (line("ecdsa-sha2-nistp256", b"nistp256", b"\x04" + b"y" * 63), "no valid point"),
    (line("ssh-ed25519-cert-v01@openssh.com", b"x"), "a certificate"),
    (f'command="id" {ED}', "no option may precede"),
    (f"{ED}\n{ED}", "more than one line"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_key(text, said):
    with pytest.raises(ValueError, match=said):
        parse_public_key(text)
