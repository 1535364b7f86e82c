"""TLS as served through the front door."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ssl
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from filae_ops.certificates import check_names
from filae_ops.errors import OpsError
from filae_ops.verification.check import Target, broken, check, not_run

DAYS_LEFT = 21
DAYS_MOST = 825
DAY = 86400


@cache
def parsed(der: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(der))


def spelt(version: str) -> str:
    """Return `TLS 1.2` for `tls1.2`."""
    return f"TLS {version.removeprefix('tls')}"


def served(on: Target) -> x509.Certificate:
    return parsed(on.answer("tls1.3" if "value" in on.front["tls1.3"] else "tls1.2")["certificate"])


@check("tls-versions", "TLS-01")
def test_versions(on: Target) -> None:
    """TLS 1.2 and 1.3 are served, 1.0 and 1.1 are refused."""
    if all("error" in on.front[name] for name in ("tls1.0", "tls1.1", "tls1.2", "tls1.3")):
        not_run("no_answer", error=on.front["tls1.3"]["error"])
    old = [name for name in ("tls1.0", "tls1.1") if on.front[name].get("value")]
    if old:
        broken("accepted", versions=list(map(spelt, old)))
    missing = [name for name in ("tls1.2", "tls1.3") if "error" in on.front[name]]
    if missing:
        broken("not_served", versions=list(map(spelt, missing)), error=on.front[missing[0]]["error"])


@check("tls-suites", "TLS-02")
def test_weak_suites_are_refused(on: Target) -> None:
    """Suites without forward secrecy or integrity mode are refused."""
    if chosen := on.answer("weak"):
        broken("accepted", suite=f"0x{chosen['suite']:04X}")


@check("tls-curves", "TLS-03")
def test_weak_curves_are_refused(on: Target) -> None:
    """Curves below 256 bits are refused."""
    if chosen := on.answer("weak_groups"):
        broken("accepted", suite=f"0x{chosen['suite']:04X}")


@check("tls-certificate", "TLS-04")
def test_the_certificate_suits(on: Target) -> None:
    """The certificate bears the public name, has a sound key and signature, and 21 days left."""
    found, name = served(on), on.inventory.network.public_name
    of_the_dsi = found == declared(on)
    day = found.not_valid_after_utc.date()
    left = (found.not_valid_after_utc - dt.datetime.now(dt.UTC)).days
    if left < DAYS_LEFT and of_the_dsi:
        broken("ends", day=day, left=left, wanted=DAYS_LEFT)
    if left < DAYS_LEFT:
        broken("ends_here", day=day, left=left, wanted=DAYS_LEFT)
    unsound = problems(found, name)
    if unsound and of_the_dsi:
        broken("unsound", problems=unsound)
    if unsound:
        broken("unsound_here", problems=unsound)


def problems(found: x509.Certificate, name: str) -> list[str]:
    """Return what is wrong with a certificate, as such texts name it: extensions and algorithms."""
    wrong = []
    try:
        check_names(found, [name], Path("served"))
    except OpsError:
        wrong.append(f"subjectAltName ≠ {name}")
    if (days := (found.not_valid_after_utc - found.not_valid_before_utc).days) > DAYS_MOST:
        wrong.append(f"notAfter - notBefore: {days} > {DAYS_MOST}")
    key, digest = found.public_key(), found.signature_hash_algorithm
    for kind, bits, letters in ((rsa.RSAPublicKey, 2048, "RSA"), (ec.EllipticCurvePublicKey, 256, "EC")):
        if isinstance(key, kind) and key.key_size < bits:
            wrong.append(f"{letters} {key.key_size} < {bits}")
    if digest is not None and digest.name in ("md5", "sha1"):
        wrong.append(digest.name)
    return wrong


def declared(on: Target) -> x509.Certificate | None:
    """Return the certificate that the inventory declares; None with the machine's own authority."""
    if not on.inventory.tls.certificate:
        return None
    return x509.load_pem_x509_certificates((on.inventory.directory / on.inventory.tls.certificate).read_bytes())[0]


@check("tls-chain", "TLS-04")
def test_a_post_that_trusts_the_authority_accepts_the_site(on: Target) -> None:
    """The chain leads to the authority that the hospital's posts trust."""
    if not (why := on.answer("trust")):
        return
    if served(on) == declared(on):
        broken("distrusted", why=why)
    broken("distrusted_here", why=why)


@check("tls-installed", "OPS-10")
def test_the_served_certificate_is_the_installed_one(on: Target) -> None:
    """The certificate served is the one installed."""
    installed = on.facts["certificate"]["chain"]
    first = installed.partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    digest = ""
    if "BEGIN" in first:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[first.index("-----BEGIN") :])).hexdigest()
    mine = hashlib.sha256(base64.b64decode(on.answer("tls1.2")["certificate"])).hexdigest()
    inside = on.facts.known("served").get("tls1.2", {}).get("value", {}).get("sha256", mine)
    if mine != digest and inside == digest:
        broken("replaced_before", served=mine[:16], installed=digest[:16])
    if mine != digest:
        broken("another", served=mine[:16], installed=digest[:16] or "-")
    if declared(on) not in (None, parsed(on.answer("tls1.2")["certificate"])):
        broken("not_the_inventory_s")


@check("tls-options", "TLS-05")
def test_no_compression_and_short_tickets(on: Target) -> None:
    """No compression; session tickets live 24 hours at most."""
    chosen = on.answer("compressed")
    if chosen and chosen["compression"]:
        broken("compression")
    longest = max(on.answer(name)["ticket_seconds"] for name in ("tls1.2", "tls1.3"))
    if longest > DAY:
        broken("long_tickets", hours=longest // 3600)
