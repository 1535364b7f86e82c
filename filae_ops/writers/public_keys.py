"""OpenSSH public keys, parsed down to their numbers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass

MIN_RSA_BITS = 3072
_CURVES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}


@dataclass(frozen=True)
class PublicKey:
    """One parsed public key."""

    kind: str
    blob: bytes
    comment: str

    @property
    def text(self) -> str:
        """Return `type base64`, without the comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint that `ssh-keygen -l` prints."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"


def parse_public_key(line: str) -> PublicKey:
    """Parse one line of a `.pub` file; ValueError says what is wrong with it."""
    if "PRIVATE KEY" in line:
        raise ValueError("a private key: it must never be here; consider it lost and make another")
    if "\n" in line.strip() or not line.isprintable():
        raise ValueError("more than one line: one key, on one line, is wanted")
    parts = line.split(None, 2)
    if len(parts) < 2:
        raise ValueError("not an OpenSSH public key (`type base64 comment`)")
    kind, encoded, comment = parts[0], parts[1], parts[2] if len(parts) > 2 else ""
    if kind not in _CHECKS:
        raise ValueError(_unknown(kind))
    try:
        blob = base64.b64decode(encoded, validate=True)
        fields = _fields(blob)
    except (binascii.Error, struct.error, IndexError):
        raise ValueError(f"the base64 of this {kind} key is cut or altered") from None
    if base64.b64encode(blob).decode() != encoded:
        raise ValueError(f"the base64 of this {kind} key is cut or altered")
    if not fields or fields[0] != kind.encode():
        raise ValueError(f"says {kind}, but its base64 holds another type")
    _CHECKS[kind](kind, fields[1:])
    return PublicKey(kind, blob, comment)


def _unknown(kind: str) -> str:
    if kind.startswith("ssh-dss"):
        return "a DSA key: refused by OpenSSH and by ANSSI's note on SSH"
    if "-cert-v0" in kind:
        return "a certificate: give the public key itself"
    known = ", ".join(_CHECKS)
    return f"{kind[:60]!r} is not a known type (no option may precede it); known: {known}"


def _fields(blob: bytes) -> list[bytes]:
    found = []
    while blob:
        (size,) = struct.unpack(">I", blob[:4])
        if len(blob) < 4 + size:
            raise IndexError(size)
        found.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return found


def _ed25519(kind: str, fields: list[bytes]) -> None:
    if len(fields) != (2 if kind.startswith("sk-") else 1) or len(fields[0]) != 32:
        raise ValueError(f"the {kind} key does not have 32 bytes: cut or altered")


def _ecdsa(kind: str, fields: list[bytes]) -> None:
    curve = kind.removeprefix("sk-").removesuffix("@openssh.com").removeprefix("ecdsa-sha2-")
    if len(fields) != (3 if kind.startswith("sk-") else 2) or fields[0] != curve.encode():
        raise ValueError(f"the {kind} key is cut or altered")
    if len(fields[1]) != _CURVES[curve] or fields[1][0] != 4:
        raise ValueError(f"the {kind} key has no valid point: cut or altered")


def _rsa(kind: str, fields: list[bytes]) -> None:
    if len(fields) != 2:
        raise ValueError(f"the {kind} key is cut or altered")
    exponent, modulus = (int.from_bytes(field, "big") for field in fields)
    if modulus.bit_length() < MIN_RSA_BITS:
        raise ValueError(f"an RSA key of {modulus.bit_length()} bits: {MIN_RSA_BITS} at least (ANSSI); prefer ed25519")
    if exponent < 3 or exponent % 2 == 0 or modulus % 2 == 0:
        raise ValueError("an RSA key with impossible numbers: cut or altered")


_CHECKS = {
    "ssh-ed25519": _ed25519,
    "sk-ssh-ed25519@openssh.com": _ed25519,
    "ecdsa-sha2-nistp256": _ecdsa,
    "ecdsa-sha2-nistp384": _ecdsa,
    "ecdsa-sha2-nistp521": _ecdsa,
    "sk-ecdsa-sha2-nistp256@openssh.com": _ecdsa,
    "ssh-rsa": _rsa,
}
