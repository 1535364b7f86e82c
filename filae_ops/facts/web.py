"""The front door as a browser and as an attacker see it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import ssl
from collections.abc import Callable
from typing import Any

from filae_ops.facts import hello
from filae_ops.facts.gathering import Expected, Unmeasured, part, read

HIDDEN = ("/.env", "/.git/config", "/.htpasswd")
SECONDS = 6.0


@part
def certificate(_: Expected) -> dict[str, str]:
    """Return the installed certificate chain and authority: public texts."""
    return {"chain": read("/etc/filae/tls/fullchain.pem"), "authority": read("/etc/filae/tls/served-ca.pem")}


@part
def served(expected: Expected) -> dict[str, Any]:
    """Return what the front door says to the machine itself."""
    return look("127.0.0.1", expected["public_name"], expected.get("root") or read("/etc/filae/tls/served-ca.pem"))


def look(address: str, name: str, authority: str) -> dict[str, Any]:
    """Ask the front door everything; an answer that cannot be had says why."""
    with socket.create_connection((address, 443), timeout=SECONDS):
        pass
    probes: dict[str, Callable[[], Any]] = {
        "tls1.0": lambda: hello.ask(address, 443, hello.greeting(hello.TLS10, hello.OLD, name)),
        "tls1.1": lambda: hello.ask(address, 443, hello.greeting(hello.TLS11, hello.OLD, name)),
        "weak": lambda: hello.ask(address, 443, hello.greeting(hello.TLS12, hello.WEAK, name)),
        "weak_groups": lambda: hello.ask(
            address, 443, hello.greeting(hello.TLS12, hello.GOOD, name, hello.WEAK_GROUPS)
        ),
        "compressed": lambda: hello.ask(address, 443, hello.greeting(hello.TLS12, hello.GOOD, name, compress=True)),
        "tls1.2": lambda: _session(address, name, ssl.TLSVersion.TLSv1_2),
        "tls1.3": lambda: _session(address, name, ssl.TLSVersion.TLSv1_3),
        "trust": lambda: _trust(address, name, authority),
        "hidden": lambda: {path: _get(address, name, path)["status"] for path in HIDDEN},
        "plain": lambda: _plain(address, name),
    }
    return {title: _try(probe) for title, probe in probes.items()}


def _try(probe: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"value": probe()}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _context(version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return a context that trusts anyone: what is served is looked at, and judged apart."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def _session(address: str, name: str, version: ssl.TLSVersion) -> dict[str, Any]:
    """Fetch the first page with one version; return its headers, the certificate and the session's ticket."""
    with (
        socket.create_connection((address, 443), timeout=SECONDS) as plain,
        _context(version).wrap_socket(plain, server_hostname=name) as link,
    ):
        answer = _request(link, name, "/")
        der = link.getpeercert(binary_form=True) or b""
        session = link.session
        return answer | {
            "cipher": (link.cipher() or ("",))[0],
            "compression": link.compression(),
            "certificate": base64.b64encode(der).decode(),
            "sha256": hashlib.sha256(der).hexdigest(),
            "ticket_seconds": session.ticket_lifetime_hint if session and session.has_ticket else 0,
        }


def _trust(address: str, name: str, authority: str) -> str:
    """Return why a post that trusts this authority refuses the site, or nothing."""
    if not authority.strip():
        raise Unmeasured("no authority to verify with")
    context = ssl.create_default_context(cadata=authority)
    try:
        with (
            socket.create_connection((address, 443), timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except ssl.SSLError as error:
        return str(error.reason or error)


def _get(address: str, name: str, path: str) -> dict[str, Any]:
    with (
        socket.create_connection((address, 443), timeout=SECONDS) as plain,
        _context().wrap_socket(plain, server_hostname=name) as link,
    ):
        return _request(link, name, path)


def _plain(address: str, name: str) -> dict[str, Any]:
    with socket.create_connection((address, 80), timeout=SECONDS) as link:
        return _request(link, name, "/")


def _request(link: socket.socket, name: str, path: str) -> dict[str, Any]:
    """Ask for a page and leave the link open: its session is still to be read."""
    head = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\nUser-Agent: filae-ops-verify\r\n\r\n"
    link.sendall(head.encode())
    answer = http.client.HTTPResponse(link, method="GET")
    try:
        answer.begin()
        answer.read(65536)
        return {"status": answer.status, "headers": {key.lower(): value for key, value in answer.getheaders()}}
    finally:
        answer.close()
