"""`filae-ops init`, as typed."""

from __future__ import annotations

import subprocess

import pytest
import typer
from typer.testing import CliRunner

from filae_ops.cli.init import ask_model, init, parse_operator
from filae_ops.errors import OpsError
from filae_ops.inventory.choices import MODELS

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
    assert "group_vars/all/access.yml:6: administration_networks" in result.stdout
    assert "host_key" not in result.stdout
    assert "public_name" not in result.stdout
    assert f"ansible-vault encrypt {path}/secrets.yml" in result.stdout
    assert f"next: filae-ops -i {path} doctor" in result.stdout


def test_without_a_terminal_the_hosting_model_is_wanted(tmp_path):
    with pytest.raises(OpsError) as caught:
        ask_model()
    assert caught.value.exit_code == 2
    assert all(name in str(caught.value) and words in str(caught.value) for name, words in MODELS.items())
    assert "--hosting MODEL" in caught.value.next_step


def test_a_terminal_asks_the_hosting_model_until_it_is_one(tmp_path, monkeypatch, capsys):
    said = iter(["hds_hots", "hds_host"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(said))
    assert ask_model() == "hds_host"
    asked = capsys.readouterr()
    assert asked.out == ""
    assert "« hds_hots » n'est pas dans la liste ; vouliez-vous dire hds_host ?" in asked.err
    assert all(words in asked.err for words in MODELS.values())


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
