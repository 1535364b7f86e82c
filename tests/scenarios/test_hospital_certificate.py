"""A certificate from the hospital's authority: served, trusted by the hospital's posts, renewed without a stop."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from material.authority import Authority
from sites import Site, run_ops, say
from untouched import edited

from filae_ops.inventory.reading.load import load
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

PROVIDED = "mode: provided\n  certificate: tls/server.pem\n  chain: tls/chain.pem\n  root: tls/root.pem"


@pytest.fixture(scope="module")
def site(template: Machine) -> Iterator[Site]:
    """A copy of the deployed machine, which has its own authority until the hospital's certificate comes."""
    made = Site(fleet.up("hospital", source=template, say=say))
    yield made
    lifecycle.remove(made.machine)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hospital")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def inventory(site: Site, place: Path, authority: Authority, name: str) -> Path:
    """The site's inventory, with the hospital's certificate, and its key encrypted."""
    made: Path = edited(site, place, {"tls.yml": ("mode: local-ca", PROVIDED)})
    deliver(authority, made, name)
    return made


@pytest.fixture(scope="module")
def name(site: Site) -> str:
    """The name that users type."""
    return load(site.inventory).network.public_name


def deliver(authority: Authority, inventory: Path, name: str) -> None:
    """Put a new certificate into the inventory, as the DSI would send it, and encrypt its key."""
    authority.deliver(inventory.parent, names=[name])
    password = inventory.parent.parent / "password"
    password.write_text("a password of the test\n")
    argv = [Path(sys.executable).with_name("ansible-vault"), "encrypt", "--vault-password-file", password]
    subprocess.run([*argv, inventory.with_name("secrets.yml")], check=True, capture_output=True)


def provision(inventory: Path) -> dict[str, int]:
    password = str(inventory.parent.parent / "password")
    done = run_ops("-i", str(inventory), "provision", "--json", "--vault-password-file", password)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def served(site: Site, inventory: Path, name: str) -> str:
    """Return the certificate that a post gets which trusts the hospital's root and no other."""
    context = ssl.create_default_context(cafile=str(inventory.with_name("tls") / "root.pem"))
    with (
        socket.create_connection((site.machine.address, 443), 10) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        return ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True) or b"")


def test_the_certificate_is_served_and_every_check_about_it_passes(site: Site, inventory: Path, name: str) -> None:
    assert provision(inventory)["changed"] > 0
    assert served(site, inventory, name).strip() in (inventory.with_name("tls") / "server.pem").read_text()
    done = run_ops("-i", str(inventory), "verify", "--json")
    failed = [each for each in json.loads(done.stdout)["checks"] if each["status"] == "fail"]
    assert failed == []
    assert provision(inventory)["changed"] == 0


def test_a_renewed_certificate_is_served_after_the_next_provision(
    site: Site, inventory: Path, authority: Authority, name: str
) -> None:
    before = served(site, inventory, name)
    deliver(authority, inventory, name)
    assert provision(inventory)["changed"] > 0
    assert served(site, inventory, name) != before
    assert run_ops("-i", str(inventory), "verify").returncode == 0


def test_the_key_is_readable_by_root_alone(site: Site, inventory: Path) -> None:
    found = site.run("find /etc/filae -type f | xargs grep -l 'PRIVATE KEY' | xargs stat -c '%U %a'").stdout.split("\n")
    assert {line for line in found if line} == {"root 600"}
