"""`filae-ops init`, as typed."""

from __future__ import annotations

import subprocess

import pytest
import typer
from typer.testing import CliRunner

from filae_ops.cli.init import init, parse_operator
from filae_ops.errors import OpsError

runner = CliRunner()
app = typer.Typer()
app.command()(init)


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "amartin"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub")


def test_it_writes_and_lists_what_is_left(tmp_path, key):
    path = tmp_path / "CHV-production"
    options = ["--hosting", "hds_host", "--public-name", "filae.chv.example", "--host-key", str(key)]
    result = runner.invoke(app, [str(path), *options, "--operator", f"amartin:{key}:2027-06-30"])
    assert result.exit_code == 0, result.output
    assert "name: chv-production" in (path / "group_vars/all/site.yml").read_text()
    assert "group_vars/all/hosting.yml:6: host_id" in result.stdout
    assert "host_key" not in result.stdout
    assert "public_name" not in result.stdout
    assert f"ansible-vault encrypt {path}/secrets.yml" in result.stdout
    assert f"next: filae-ops -i {path} doctor" in result.stdout


def test_the_hosting_model_is_asked_for(tmp_path):
    assert runner.invoke(app, [str(tmp_path / "x")]).exit_code == 2


BAD = [
    ("amartin", "is not NAME:KEYFILE:UNTIL"),
    ("amartin:{key}", "is not NAME:KEYFILE:UNTIL"),
    ("amartin:{key}:30/06/2027", "'30/06/2027' is not a date"),
    ("amartin:/nonexistent.pub:2027-06-30", "cannot be read"),
    ("amartin:{private}:2027-06-30", "is a private key"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_operator(key, text, said):
    with pytest.raises(OpsError, match=said) as caught:
        parse_operator(text.format(key=key, private=key.with_suffix("")))
    assert caught.value.exit_code == 2
