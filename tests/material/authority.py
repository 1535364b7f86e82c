"""A hospital's certificate authority, and every way in which what it delivers may be wrong."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(*certificates: x509.Certificate) -> str:
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def key_pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Authority:
    """A root and the intermediate that signs servers."""

    def __init__(self) -> None:
        self.root_key, self.middle_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self._authority("Racine", self.root_key.public_key(), "Racine", self.root_key)
        self.middle = self._authority("Intermédiaire", self.middle_key.public_key(), "Racine", self.root_key)

    def _authority(
        self, subject: str, public: ec.EllipticCurvePublicKey, issuer: str, signer: ec.EllipticCurvePrivateKey
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        return (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=100))
            .not_valid_after(now + dt.timedelta(days=3650)).add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
            .sign(signer, hashes.SHA256())
        )  # fmt: skip

    def server(self, names: Sequence[str], key: Key, days: tuple[int, int] = (-1, 90)) -> x509.Certificate:
        """Return a server certificate valid from `days[0]` to `days[1]`, counted from now."""
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder().subject_name(name(names[0] if names else "nobody"))
            .issuer_name(name("Intermédiaire")).public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=days[0])).not_valid_after(now + dt.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.middle_key.public_key()), False)
        )  # fmt: skip
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), False)
        return builder.sign(self.middle_key, hashes.SHA256())

    def deliver(
        self,
        inventory: Path,
        *,
        names: Sequence[str],
        days: tuple[int, int] = (-1, 90),
        key: str = "own",
        bits: int = 0,
        root: str = "own",
        chain: str = "middle",
        server: str = "",
    ) -> None:
        """Write tls/server.pem, chain.pem, root.pem and secrets.yml of an inventory, with the faults asked for."""
        own: Key = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
        another = key_pem(ec.generate_private_key(ec.SECP256R1()))
        keys = {"own": key_pem(own), "another": another, "": "", "garbage": "not a key"}
        directory = inventory / "tls"
        directory.mkdir(exist_ok=True)
        (directory / "server.pem").write_text(server or pem(self.server(names, own, days)))
        (directory / "chain.pem").write_text(pem(self.middle if chain == "middle" else self.root))
        (directory / "root.pem").write_text(pem(self.root if root == "own" else Authority().root))
        secrets = inventory / "secrets.yml"
        secrets.write_text(f"tls_key: {json.dumps(keys[key])}\n")
        secrets.chmod(0o600)
