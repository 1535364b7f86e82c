"""What the front door and the ports answer from elsewhere: TLS is spoken by hand."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from filae_ops.facts import hello, outside


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve TLS 1.2 and 1.3 with Python's defaults, on a port of our own."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(plain + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_ciphers("ECDHE+AESGCM")
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener, context), daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def _serve(listener, context):
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        try:
            context.wrap_socket(link, server_side=True).close()
        except OSError:
            link.close()


@pytest.mark.parametrize(
    ("version", "suites", "groups", "accepted"),
    [
        (hello.TLS12, hello.GOOD, hello.GROUPS, True),
        (hello.TLS12, hello.WEAK, hello.GROUPS, False),
        (hello.TLS12, hello.GOOD, hello.WEAK_GROUPS, False),
        (hello.TLS11, hello.OLD, hello.GROUPS, False),
        (hello.TLS10, hello.OLD, hello.GROUPS, False),
    ],
)
def test_a_greeting_by_hand(server, version, suites, groups, accepted):
    answer = hello.ask("127.0.0.1", server, hello.greeting(version, suites, "here", groups))
    assert (answer is not None) == accepted
    if answer:
        assert answer["version"] == hello.TLS12
        assert answer["suite"] in hello.GOOD
        assert answer["compression"] == 0


def test_ports_from_here(server):
    assert outside.states("127.0.0.1", [server])[str(server)] == "open"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert outside.states("127.0.0.1", [port])[str(port)] == "refused"
    assert outside.own_address("127.0.0.1") == "127.0.0.1"
    assert "error" in outside.front("127.0.0.1", {"443": "filtered"}, "here", "")
