"""The gathering: it travels as one script, breaks part by part, and speaks TLS by hand."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from filae_ops.facts import gathering, hello, network, outside, secrets
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.verification import gather


def test_the_script_needs_nothing_of_the_package(tmp_path):
    expected = {"parts": ["names", "outside"], "public_name": "localhost", "seconds": 20}
    done = subprocess.run(
        [sys.executable, "-I", "-"],
        input=gather.script(expected),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    found = json.loads(done.stdout)["facts"]
    assert found["names"]["value"]["public_name"] == "localhost"
    assert found["outside"]["error"] == "not asked from here"


def test_a_part_that_breaks_or_hangs_hides_nothing_else(monkeypatch):
    def unmeasured(_):
        raise gathering.Unmeasured("why")

    parts = {"good": lambda _: 1, "bad": lambda _: 1 / 0, "slow": lambda _: time.sleep(5), "unmeasured": unmeasured}
    monkeypatch.setattr(gathering, "PARTS", parts)
    found = gathering.gather({}, 0.3)
    assert found["good"]["value"] == 1
    assert "ZeroDivisionError" in found["bad"]["error"]
    assert "no answer" in found["slow"]["error"]
    assert found["unmeasured"]["error"] == "why"


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["/nowhere/at-all"], "is not installed"), (["false"], "ended with status 1"), (["sleep", "5"], "no answer")],
)
def test_a_command_that_fails_is_unmeasured(argv, said):
    with pytest.raises(gathering.Unmeasured, match=said):
        gathering.command(*argv, seconds=0.2)


def test_the_rules_are_made_from_the_inventory():
    inventory = load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())
    rules = gather.firewall_rules(inventory)
    assert rules.count("policy drop;") == 3
    for flow in inventory.flows:
        assert f'comment "{flow.id}"' in rules
    assert "ip saddr { 192.0.2.64/26 } tcp dport { 443 }" in rules
    assert "ip6 saddr { 2001:db8:10::/48 } tcp dport { 443 }" in rules
    assert "ip saddr { 192.0.2.128/26 } tcp dport { 22 }" in rules


def test_counters_do_not_count():
    assert network._plain("counter packets 3 bytes 180 accept\n") == "counter accept"


def test_secrets_are_found_by_name_only(tmp_path):
    log = tmp_path / "x.log"
    log.write_bytes(b"before " + b"k" * 64 + b" after")
    assert list(secrets._in_file(str(log), {"token": b"k" * 64, "other": b"absent!!"})) == ["token"]
    assert list(secrets._in_file(str(tmp_path / "none"), {"token": b"k" * 64})) == []


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
