"""What an inventory is made of: its directory, its secrets, its certificates, its fingerprint."""

from __future__ import annotations

import shutil

import pytest
from material.inventories import quick

from filae_ops.errors import OpsError

PATHS = [
    ("missing", lambda site: site / "nowhere", "no inventory at", "init"),
    ("missing hosts.yml", lambda site: site.parent / "no" / "hosts.yml", "no inventory at", "init"),
    (
        "another file",
        lambda site: site / "group_vars/all/site.yml",
        "is not an inventory",
        "give a directory",
    ),
]


@pytest.mark.parametrize(("path", "said", "step"), [row[1:] for row in PATHS], ids=[row[0] for row in PATHS])
def test_a_path_that_is_no_inventory(site, path, said, step):
    with pytest.raises(OpsError, match=said) as caught:
        quick(path(site))
    assert step in caught.value.next_step


def test_an_empty_directory(tmp_path):
    with pytest.raises(OpsError, match="is empty") as caught:
        quick(tmp_path)
    assert caught.value.next_step == f"filae-ops init {tmp_path} --hosting MODEL"


@pytest.mark.parametrize(("gone", "said"), [("hosts.yml", "has no hosts.yml"), ("group_vars", "has no group_vars/all")])
def test_a_part_is_missing(site, gone, said):
    path = site / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(OpsError, match=said):
        quick(site)


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "filae:\n", "filae:\n  hosts:\n", "filae: {hosts: {}}\n", "{}\n"]
)
def test_no_machine(site, content):
    (site / "hosts.yml").write_text(content)
    with pytest.raises(OpsError, match="no machine in the group filae"):
        quick(site)


@pytest.mark.parametrize(
    "stray",
    ["host_vars/filae-demo.yml", "group_vars/filae.yml", "group_vars/all/more.yaml", "group_vars/all/more.json",
     "group_vars/all/more", "group_vars/all/sub/x.yml", "group_vars/filae/x.yml"],
)  # fmt: skip
def test_what_only_ansible_would_read_is_refused(site, stray):
    (site / stray).parent.mkdir(exist_ok=True)
    (site / stray).write_text("site: {}\n")
    with pytest.raises(OpsError, match="Ansible reads this"):
        quick(site)


@pytest.mark.parametrize("stray", ["group_vars/all/.site.yml.swp", "group_vars/all/site.yml~", "README.md"])
def test_what_nobody_reads_is_let_alone(site, stray):
    (site / stray).write_text("{")
    assert quick(site).site.name == "chv-demo"


def test_a_whole_section_missing_names_it(site):
    (site / "group_vars/all/backup.yml").unlink()
    with pytest.raises(OpsError, match=r"backup\.yml: backup: missing key"):
        quick(site)


def test_secrets_in_clear(edit, site):
    secrets = site / "secrets.yml"
    secrets.write_text("app_secrets: {smtp: x}\n")
    secrets.chmod(0o644)
    with pytest.raises(OpsError, match="other users can read it") as caught:
        quick(site)
    assert caught.value.next_step == f"chmod 600 {secrets}"
    secrets.chmod(0o600)
    assert quick(site).site.environment == "demo"


def test_secrets_in_clear_in_production(production):
    secrets = production / "secrets.yml"
    secrets.write_text("tls_key: x\n")
    secrets.chmod(0o600)
    with pytest.raises(OpsError, match=r"is not encrypted, and site.environment is production") as caught:
        quick(production)
    assert "ansible-vault encrypt" in caught.value.next_step
    secrets.write_text("$ANSIBLE_VAULT;1.1;AES256\n3132\n")
    secrets.chmod(0o644)
    assert quick(production).production


def test_secrets_that_are_still_to_fill_in(production):
    secrets = production / "secrets.yml"
    secrets.write_text("# What people give.\n\ntls_key: a-renseigner\n")
    secrets.chmod(0o600)
    with pytest.raises(OpsError, match="tls_key is still a-renseigner") as caught:
        quick(production)
    assert caught.value.next_step == f"write the values, then ansible-vault encrypt {secrets}"
    assert quick(production, awaited=True).production
    secrets.write_text("tls_key: a-renseigner\napp_secrets: {smtp: x}\n")
    with pytest.raises(OpsError, match="is not encrypted"):
        quick(production, awaited=True)


def test_the_demo_key_in_production(production):
    app = production / "group_vars/all/app.yml"
    app.write_text(app.read_text().replace("name: release", "name: demo"))
    with pytest.raises(OpsError, match="the demonstration key 'demo' in production"):
        quick(production)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("-----BEGIN PRIVATE KEY-----\nx\n", "holds a private key"),
        ("hello", "is not a certificate in PEM"),
        ("", "is not a certificate in PEM"),
        (None, "leaves the inventory by a link"),
    ],
)
def test_a_bad_certificate_file(production, content, said):
    path = production / "tls/chain.pem"
    path.unlink()
    path.symlink_to("/etc/hostname") if content is None else path.write_text(content)
    with pytest.raises(OpsError, match=said) as caught:
        quick(production)
    assert caught.value.owner == "dsi"


@pytest.fixture
def production(edit, site):
    edit("site.yml", "environment: demo", "environment: production")
    edit("app.yml", "name: demo", "name: release")
    edit(
        "tls.yml",
        "mode: local-ca",
        "{mode: provided, certificate: tls/a.pem, chain: tls/chain.pem, root: tls/r.pem}",
    )
    (site / "tls").mkdir()
    for name in ("a", "chain", "r"):
        (site / f"tls/{name}.pem").write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")
    return site


def test_the_fingerprint_follows_the_files(edit, site):
    before = quick(site).fingerprint
    assert quick(site / "hosts.yml").fingerprint == before
    edit("backup.yml", "interval_hours: 24", "interval_hours: 12")
    assert quick(site).fingerprint != before


@pytest.mark.parametrize("where", ["read", "_check_secrets"])
def test_what_may_not_be_read_is_said(site, monkeypatch, where):
    """Root reads everything: the refusal of the system is played."""

    def refused(*_):
        raise PermissionError(13, "Permission denied", "group_vars")

    monkeypatch.setattr(f"filae_ops.inventory.reading.load.{where}", refused)
    with pytest.raises(OpsError, match="group_vars: cannot be read: Permission denied"):
        quick(site)
