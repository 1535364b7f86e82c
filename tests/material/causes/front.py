"""What is wrong with the front door: TLS, its certificate, and what it answers."""

from __future__ import annotations

import base64
import datetime as dt
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from material.causes.cause import DAY, NAME, Cause

RELOAD = "systemctl reload nginx"


@cache
def certificate(name: str = NAME, days: int = 300) -> x509.Certificate:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(end - dt.timedelta(days=800)).not_valid_after(end)
    return made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())


def der(which: x509.Certificate) -> bytes:
    return which.public_bytes(serialization.Encoding.DER)


def pem(which: x509.Certificate) -> str:
    return which.public_bytes(serialization.Encoding.PEM).decode()


def door(which: x509.Certificate | None = None, **answers: Any) -> dict[str, Any]:
    """Return the front door as it is seen, in order but for these answers."""
    found = which or certificate()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der(found))
    headers = {
        "strict-transport-security": "max-age=31536000", "x-content-type-options": "nosniff",
        "x-frame-options": "DENY", "referrer-policy": "same-origin",
    }  # fmt: skip
    session = {
        "certificate": base64.b64encode(der(found)).decode(), "sha256": digest.finalize().hex(),
        "ticket_seconds": 0, "headers": headers,
    }  # fmt: skip
    usual = {"tls1.0": None, "tls1.1": None, "tls1.2": session, "tls1.3": session, "weak": None, "weak_groups": None}
    usual |= {"compressed": None, "trust": "", "hidden": {}, "plain": {"status": 301, "headers": {}}}
    for name, value in answers.items():
        spelt = name.replace("_0", ".0").replace("_2", ".2").replace("_3", ".3")
        usual[spelt] = usual[spelt] | value if spelt in ("tls1.2", "tls1.3") and "error" not in value else value
    return {
        name: value if isinstance(value, dict) and "error" in value else {"value": value}
        for name, value in usual.items()
    }


def seen(**answers: Any) -> dict[str, Any]:
    return {"web": {"value": door(**answers)}}


def headers(**change: str | None) -> dict[str, Any]:
    sent = {
        "strict-transport-security": "max-age=31536000", "x-content-type-options": "nosniff",
        "x-frame-options": "DENY", "referrer-policy": "same-origin",
    } | {name.replace("_", "-"): value for name, value in change.items()}  # fmt: skip
    return seen(tls1_2={"headers": {name: value for name, value in sent.items() if value is not None}})


INSTALLED = {"certificate": {"chain": pem(certificate())}}
PROVIDED = {
    "tls": {"mode": "provided", "certificate": "tls/cert.pem", "chain": "tls/chain.pem", "root": "tls/root.pem"}
}
ENDING, STRANGE = certificate(days=9), certificate("other.example")


def offered(which: x509.Certificate, **answers: Any) -> dict[str, Any]:
    return {"web": {"value": door(which, **answers)}}


FRONT = [
    Cause("tls-versions", "accepted", "provider", ("TLS 1.0", RELOAD), outside=seen(tls1_0={"suite": 5})),
    Cause("tls-versions", "not_served", "provider", ("TLS 1.3", "refused", RELOAD),
          outside=seen(tls1_3={"error": "refused"})),
    Cause("tls-suites", "accepted", "provider", ("0x0005", RELOAD), outside=seen(weak={"suite": 5})),
    Cause("tls-curves", "accepted", "provider", ("0x0005", RELOAD), outside=seen(weak_groups={"suite": 5})),
    Cause("tls-certificate", "ends", "dsi", ("days left: 8", "issue a new certificate"), outside=offered(ENDING),
          changes=PROVIDED),
    Cause("tls-certificate", "ends_here", "provider", ("days left: 8", "filae-ops provision"), outside=offered(ENDING)),
    Cause("tls-certificate", "unsound", "dsi", (f"subjectAltName ≠ {NAME}", "issue a new"), outside=offered(STRANGE),
          changes=PROVIDED),
    Cause("tls-certificate", "unsound_here", "provider", (f"subjectAltName ≠ {NAME}", "filae-ops provision"),
          outside=offered(STRANGE)),
    Cause("tls-chain", "distrusted", "provider", ("self-signed", "tls.chain"),
          outside=offered(ENDING, trust="self-signed"), changes=PROVIDED),
    Cause("tls-chain", "distrusted_here", "provider", ("self-signed", RELOAD), outside=seen(trust="self-signed")),
    Cause("tls-installed", "another", "provider", ("not the installed one", RELOAD),
          INSTALLED | {"served": door(STRANGE)}, offered(STRANGE)),
    Cause("tls-installed", "replaced_before", "dsi", ("reaches people", "decrypts"), INSTALLED | {"served": door()},
          offered(STRANGE)),
    Cause("tls-installed", "not_the_inventory_s", "provider", ("not the inventory's", RELOAD),
          INSTALLED | {"served": door()}, seen(), PROVIDED | {"another": True}),
    Cause("tls-options", "compression", "provider", ("CRIME", RELOAD), outside=seen(compressed={"compression": 1})),
    Cause("tls-options", "long_tickets", "provider", ("48 h", RELOAD),
          outside=seen(tls1_2={"ticket_seconds": 2 * DAY})),
    Cause("web-hsts", "short", "provider", ("max-age=60", RELOAD),
          outside=headers(strict_transport_security="max-age=60")),
    Cause("web-redirect", "elsewhere", "provider", ("200", RELOAD), outside=seen(plain={"status": 200, "headers": {}})),
    Cause("web-headers", "missing", "provider", ("x-content-type-options", RELOAD),
          outside=headers(x_content_type_options=None)),
    Cause("web-headers", "weak", "provider", ("x-frame-options: ALLOWALL", "correct the application"),
          outside=headers(x_frame_options="ALLOWALL")),
    Cause("web-headers", "version", "provider", ("nginx/1.26", RELOAD), outside=headers(server="nginx/1.26")),
    Cause("web-hidden", "served", "provider", ("/.env (200)", RELOAD), outside=seen(hidden={"/.env": 200})),
]  # fmt: skip
