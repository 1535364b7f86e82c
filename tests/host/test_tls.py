"""TLS as served through the front door."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ssl
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from filae_ops.certificates import check_names
from filae_ops.errors import OpsError
from filae_ops.verification.check import PROVISION, Target, broken, check, not_run

DAYS_LEFT = 21
DAYS_MOST = 825
DAY = 86400
RENEW = {
    "provided": "dsi: issue a new certificate; provider: put it in tls/, then filae-ops provision",
    "local-ca": "provider: filae-ops provision renews it",
}


@cache
def parsed(der: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(der))


def served(on: Target) -> x509.Certificate:
    return parsed(on.answer("tls1.3" if "value" in on.front["tls1.3"] else "tls1.2")["certificate"])


@check("tls-versions", "TLS-01")
def test_versions(on: Target) -> None:
    """TLS 1.2 and 1.3 are served, 1.0 and 1.1 are refused."""
    if all("error" in on.front[name] for name in ("tls1.0", "tls1.1", "tls1.2", "tls1.3")):
        not_run(f"the front door gives no answer: {on.front['tls1.3']['error']}")
    old = [name for name in ("tls1.0", "tls1.1") if on.front[name].get("value")]
    if old:
        broken(f"accepted: {', '.join(old)}")
    missing = [name for name in ("tls1.2", "tls1.3") if "error" in on.front[name]]
    if missing:
        broken(f"not served: {', '.join(missing)} ({on.front[missing[0]]['error']})")


@check("tls-suites", "TLS-02")
def test_weak_suites_are_refused(on: Target) -> None:
    """Suites without forward secrecy or integrity mode are refused."""
    if chosen := on.answer("weak"):
        broken(f"the weak suite 0x{chosen['suite']:04X} is accepted")


@check("tls-curves", "TLS-03")
def test_weak_curves_are_refused(on: Target) -> None:
    """Curves below 256 bits are refused."""
    if chosen := on.answer("weak_groups"):
        broken(f"a curve below 256 bits is accepted, with suite 0x{chosen['suite']:04X}")


@check("tls-certificate", "TLS-04")
def test_the_certificate_suits(on: Target) -> None:
    """The certificate bears the public name, has a sound key and signature, and 21 days left."""
    found, step = served(on), RENEW[on.inventory.tls.mode]
    left = (found.not_valid_after_utc - dt.datetime.now(dt.UTC)).days
    if left < DAYS_LEFT:
        broken(
            f"the certificate ends on {found.not_valid_after_utc:%Y-%m-%d}: {left} days left, {DAYS_LEFT} wanted", step
        )
    try:
        check_names(found, [on.inventory.network.public_name], on.inventory.directory / "served")
    except OpsError as error:
        broken(str(error.args[0]), step)
    if (found.not_valid_after_utc - found.not_valid_before_utc).days > DAYS_MOST:
        broken(f"the certificate lives more than {DAYS_MOST} days", step)
    key, digest = found.public_key(), found.signature_hash_algorithm
    sizes = {rsa.RSAPublicKey: 2048, ec.EllipticCurvePublicKey: 256}
    if any(isinstance(key, kind) and key.key_size < bits for kind, bits in sizes.items()):  # type: ignore[union-attr]
        broken("the certificate's key is too short", step)
    if digest is not None and digest.name in ("md5", "sha1"):
        broken(f"the certificate is signed with {digest.name}", step)


@check("tls-chain", "TLS-04")
def test_a_post_that_trusts_the_authority_accepts_the_site(on: Target) -> None:
    """The chain leads to the authority that the hospital's posts trust."""
    if why := on.answer("trust"):
        broken(
            f"a post that trusts the declared authority refuses the site: {why}",
            "provider: correct tls.chain and tls.root with the DSI",
        )


@check("tls-installed", "OPS-10")
def test_the_served_certificate_is_the_installed_one(on: Target) -> None:
    """The certificate served is the one installed."""
    installed = on.facts["certificate"]["chain"]
    first = installed.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    digest = (
        hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :])).hexdigest()
        if "BEGIN" in first
        else ""
    )
    mine = hashlib.sha256(base64.b64decode(on.answer("tls1.2")["certificate"])).hexdigest()
    if mine != digest:
        broken(
            f"served: {mine[:16]}…, installed: {digest[:16] or 'none'}…",
            "provider: nginx -t && systemctl reload nginx, or find what answers instead",
        )
    if on.inventory.tls.certificate:
        declared = x509.load_pem_x509_certificates(
            (on.inventory.directory / on.inventory.tls.certificate).read_bytes()
        )[0]
        if declared != parsed(on.answer("tls1.2")["certificate"]):
            broken("the certificate served is not the inventory's", PROVISION)


@check("tls-options", "TLS-05")
def test_no_compression_and_short_tickets(on: Target) -> None:
    """No compression; session tickets live 24 hours at most."""
    chosen = on.answer("compressed")
    if chosen and chosen["compression"]:
        broken("TLS compression is accepted (CRIME)")
    longest = max(on.answer(name)["ticket_seconds"] for name in ("tls1.2", "tls1.3"))
    if longest > DAY:
        broken(f"session tickets live {longest // 3600} hours, 24 at most")
