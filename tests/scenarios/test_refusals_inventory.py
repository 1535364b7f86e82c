"""Inventories, secrets and certificates that are refused before the machine is asked anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from material.authority import Authority
from sites import Site, run_ops
from untouched import COMMANDS, ask_all, assert_refused, edited, untouched

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(bare: Site) -> Iterator[None]:
    with untouched(bare):
        yield


def plain(inventory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook as those do who know no filae-ops."""
    return subprocess.run(
        [BIN / "ansible-playbook", "-i", inventory, "playbooks/provision.yml", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_no_inventory_is_named() -> None:
    for done in ask_all(None, *COMMANDS):
        assert_refused(done, "no inventory was named", "filae-ops init", status=2)


@pytest.mark.parametrize("case", ["missing", "empty directory", "empty file", "no group_vars"])
def test_a_missing_or_empty_inventory(case: str, bare: Site, tmp_path: Path) -> None:
    place = tmp_path / "site"
    if case != "missing":
        place.mkdir()
    if case == "empty file":
        edited(bare, tmp_path, {})
        place = tmp_path / "inventory"
        (place / "hosts.yml").write_text("")
    if case == "no group_vars":
        (place / "hosts.yml").write_text(bare.inventory.read_text())
    for done in ask_all(place, *COMMANDS):
        assert_refused(done, str(place))


@pytest.mark.parametrize("case", ["missing", "empty file"])
def test_a_missing_or_empty_inventory_under_plain_ansible(case: str, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.yml"
    if case == "empty file":
        hosts.write_text("")
    done = plain(hosts)
    assert done.returncode != 0
    assert str(hosts) in done.stderr


FIELDS = [
    ("unknown key", "site.yml", r"^  environment:", "  enviroment: x\n  environment:", "site.yml:", "enviroment"),
    ("unknown section", "tls.yml", r"^tls:", "tsl: {}\ntls:", "tls.yml:3:", "tsl: unknown key; did you mean 'tls'"),
    ("wrong type", "hosts.yml", r"cpus: \d+", "cpus: many", "hosts.yml:", "not 'many'"),
    ("bad date", "access.yml", r"until: .*", "until: 2027-02-31", "access.yml:", "2027-02-31"),
    ("bad enum", "patching.yml", r"reboot: .*", "reboot: sometimes", "patching.yml:", "'sometimes'"),
    ("bad network", "access.yml", r"administration_networks: .*", "administration_networks: [10.1.2.3/8]",
     "access.yml:", "10.1.2.3/8"),
    ("duplicate key", "tls.yml", r"(  mode: .*)", r"\1\n\1", "tls.yml:", "mode"),
    ("not YAML", "tls.yml", r"^tls:", "tls: [", "tls.yml:", "tls.yml"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FIELDS)), ids=[row[0] for row in FIELDS])
def test_a_field_is_refused_by_file_and_line(number: int, bare: Site, tmp_path: Path) -> None:
    """Every command reads the inventory in the same way: each row tries another one."""
    _, file, pattern, new, place, value = FIELDS[number]
    inventory = edited(bare, tmp_path, {file: (pattern, new)})
    assert_refused(run_ops("-i", str(inventory), *COMMANDS[number % len(COMMANDS)]), place, value)


@pytest.fixture
def sealed(bare: Site, tmp_path: Path) -> Path:
    """An inventory whose secrets are encrypted; the password is in `password` beside it."""
    inventory = edited(bare, tmp_path, {})
    secrets = inventory.with_name("secrets.yml")
    secrets.write_text("app_secrets: {mail: fictitious}\n")
    (tmp_path / "password").write_text("right\n")
    (tmp_path / "wrong").write_text("wrong\n")
    argv = [BIN / "ansible-vault", "encrypt", "--vault-password-file", tmp_path / "password", secrets]
    subprocess.run(argv, check=True, capture_output=True)
    return inventory


VAULT = [
    ("no password", [], "is encrypted and no vault password was given"),
    ("wrong password", ["--vault-password-file", "wrong"], "the vault password is wrong"),
    ("absent password file", ["--vault-password-file", "absent"], "was not found"),
]


@pytest.mark.parametrize(("words", "said"), [row[1:] for row in VAULT], ids=[row[0] for row in VAULT])
def test_the_vault_password_is_wrong_or_missing(words: list[str], said: str, sealed: Path, tmp_path: Path) -> None:
    given = [str(tmp_path / word) if "-" not in word else word for word in words]
    values = [said, "--vault-password-file", given[1] if "absent" in words else str(sealed.with_name("secrets.yml"))]
    assert_refused(run_ops("-i", str(sealed), "provision", "--json", *given), *values)
    direct = plain(sealed, *given)
    assert direct.returncode != 0
    assert values[-1] in direct.stderr


# Each other fault has its row in tests/unit/test_certificates.py.
TLS = [
    ("expired", {"days": (-30, -1)}, "the certificate expired on", "dsi"),
    ("wrong name", {"names": ["other.example"]}, "covers other.example, not {name}", "dsi"),
    ("another's key", {"key": "another"}, "is not that of `tls_key`", "dsi"),
    ("no key", {"key": ""}, "no private key (`tls_key`)", "provider"),
    ("wrong root", {"root": "another"}, "does not verify up to the declared root", "dsi"),
    ("missing intermediate", {"chain": "root"}, "does not verify up to the declared root", "dsi"),
]  # fmt: skip

Provided = Callable[..., Path]


@pytest.fixture
def provided(bare: Site, tmp_path: Path) -> Provided:
    """Make an inventory whose certificate comes from a hospital's authority."""

    def make(**faults: object) -> Path:
        mode = "mode: provided\n  certificate: tls/server.pem\n  chain: tls/chain.pem\n  root: tls/root.pem"
        inventory = edited(bare, tmp_path, {"tls.yml": ("mode: local-ca", mode)})
        Authority().deliver(inventory.parent, **{"names": [bare.machine.public_name], **faults})
        return inventory

    return make


@pytest.mark.parametrize(("faults", "said", "owner"), [row[1:] for row in TLS], ids=[row[0] for row in TLS])
def test_a_certificate_that_would_not_serve(
    faults: dict[str, object], said: str, owner: str, provided: Provided, bare: Site
) -> None:
    done = run_ops("-i", str(provided(**faults)), "provision", "--json")
    assert_refused(done, said.format(name=bare.machine.public_name), owner=owner)


def test_a_certificate_is_refused_under_plain_ansible_too(provided: Provided) -> None:
    done = plain(provided(days=(-30, -1)))
    assert done.returncode != 0
    assert "the certificate expired on" in done.stderr
    assert "who acts: dsi" in done.stderr


def test_a_certificate_that_is_not_there(provided: Provided) -> None:
    inventory = provided()
    (inventory.parent / "tls/chain.pem").unlink()
    for done in ask_all(inventory, *COMMANDS):
        assert_refused(done, "tls.yml:", "tls/chain.pem", owner="dsi")
