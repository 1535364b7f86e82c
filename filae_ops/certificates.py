"""Judge a server certificate before it is used: nginx accepts and serves expired and wrong-name ones."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from filae_ops.errors import OpsError

MARGIN = dt.timedelta(days=7)
RSA_BITS = 3072  # ANSSI, Guide des mécanismes cryptographiques 2.04, RecoFact-1
ASK = "ask the DSI for the certificate again, then run `./filae-ops doctor`"


def check_files(
    *,
    key: str,
    certificate: Path,
    chain: Path,
    root: Path,
    names: Sequence[str],
    now: dt.datetime | None = None,
) -> None:
    """Raise OpsError unless key, certificate, chain and root fit each other, the names and the date."""
    server, chain_certs, roots = _load(certificate)[0], _load(chain), _load(root)
    at = now or dt.datetime.now(dt.UTC)
    check_dates(server, at, certificate)
    check_names(server, names, certificate)
    check_key(server, key, certificate)
    check_chain(server, chain_certs, roots, names[0], at, certificate)


def check_dates(server: x509.Certificate, at: dt.datetime, path: Path) -> None:
    """Refuse a certificate that is not valid yet, no longer, or for less than a week."""
    begin, end = server.not_valid_before_utc, server.not_valid_after_utc
    if at < begin:
        raise OpsError(f"{path}: the certificate is valid only from {begin:%Y-%m-%d}", owner="dsi", next_step=ASK)
    if at > end:
        raise OpsError(f"{path}: the certificate expired on {end:%Y-%m-%d}", owner="dsi", next_step=ASK)
    if at > end - MARGIN:
        raise OpsError(
            f"{path}: the certificate expires on {end:%Y-%m-%d}, in less than {MARGIN.days} days",
            owner="dsi",
            next_step=ASK,
        )


def check_names(server: x509.Certificate, names: Sequence[str], path: Path) -> None:
    """Refuse a certificate whose alternative names leave out a served name."""
    try:
        san = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise OpsError(f"{path}: the certificate has no alternative name", owner="dsi", next_step=ASK) from None
    covered = {name.lower() for name in san.get_values_for_type(x509.DNSName)}
    covered |= {str(address) for address in san.get_values_for_type(x509.IPAddress)}
    for name in names:
        wildcard = "*." + name.split(".", 1)[-1]
        if name.lower() not in covered and (_is_address(name) or wildcard not in covered):
            raise OpsError(
                f"{path}: the certificate covers {', '.join(sorted(covered))}, not {name}",
                owner="dsi",
                next_step=ASK,
            )


def check_key(server: x509.Certificate, key: str, path: Path) -> None:
    """Refuse a private key that is missing, weak, or not the certificate's."""
    if not key.strip():
        raise OpsError(
            f"{path}: no private key (`tls_key`)",
            next_step="put it in secrets.yml, then `ansible-vault encrypt` it",
        )
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise OpsError(
            f"`tls_key` in secrets.yml is not a readable PEM key: {error}",
            next_step="write the key without passphrase",
        ) from None
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise OpsError("`tls_key` is neither RSA, ECDSA nor Ed25519", owner="dsi", next_step=ASK)
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < RSA_BITS:
        raise OpsError(
            f"`tls_key` is an RSA key of {private.key_size} bits, {RSA_BITS} are asked",
            owner="dsi",
            next_step=ASK,
        )
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*form) != server.public_key().public_bytes(*form):
        raise OpsError(f"{path}: the certificate is not that of `tls_key` in secrets.yml", owner="dsi", next_step=ASK)


def check_chain(
    server: x509.Certificate,
    chain: list[x509.Certificate],
    roots: list[x509.Certificate],
    name: str,
    at: dt.datetime,
    path: Path,
) -> None:
    """Refuse a certificate that does not verify up to the root that the hospital's posts trust."""
    subject: x509.DNSName | x509.IPAddress = x509.DNSName(name)
    if _is_address(name):
        subject = x509.IPAddress(ipaddress.ip_address(name))
    try:
        PolicyBuilder().store(Store(roots)).time(at.replace(tzinfo=None)).build_server_verifier(subject).verify(
            server, chain
        )
    except (VerificationError, InvalidSignature, ValueError) as error:
        raise OpsError(
            f"{path}: the certificate does not verify up to the declared root: {error}", owner="dsi",
            next_step="give the intermediate certificates in `tls.chain` and the authority's root in `tls.root`",
        ) from None  # fmt: skip


def _load(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except FileNotFoundError:
        raise OpsError(f"{path}: no such file", next_step="put it there, or correct its path in tls.yml") from None
    except ValueError as error:
        raise OpsError(f"{path}: no readable PEM certificate: {error}", owner="dsi", next_step=ASK) from None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
