"""`filae-ops init`, as typed."""

from __future__ import annotations

import subprocess

import pytest
import typer
from sites import run_ops
from typer.testing import CliRunner

from filae_ops.cli.init import ask_model, init, parse_operator
from filae_ops.errors import OpsError
from filae_ops.inventory.types.choices import MODELS

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
    result = runner.invoke(app, [str(path), *options, "--operator", f"amartin:{key}:2099-06-30"])
    assert result.exit_code == 0, result.output
    assert "name: chv-production" in (path / "group_vars/all/site.yml").read_text()
    assert "group_vars/all/access.yml:6: administration_networks" in result.stdout
    assert "host_key" not in result.stdout
    assert "public_name" not in result.stdout
    assert f"ansible-vault encrypt {path}/secrets.yml" in result.stdout
    assert f"next: fill these values in, then filae-ops -i {path} review, then doctor" in result.stdout
    assert f"filae-ops -i {path} request-vm" in result.stdout


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        ("init x --hosting internal_", {"internal_infogere", "internal_vendor_admin"}),
        ("init x --environment pre", {"preproduction"}),
        ("requirements list --theme H", {"HDS", "HRD"}),
        ("requirements show NIS2-", {"NIS2-01"}),
    ],
)
def test_the_shell_completes_names(words, proposed):
    line = f"filae-ops {words}"
    env = {"_FILAE_OPS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    assert set(run_ops(env=env).stdout.split()) == proposed


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
    ("amartin:{key}:2020-06-30", "2020-06-30 is past"),
    ("amartin:/nonexistent.pub:2099-06-30", "cannot be read"),
    ("amartin:{private}:2099-06-30", "is a private key"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_a_bad_operator(key, text, said):
    with pytest.raises(OpsError, match=said) as caught:
        parse_operator(text.format(key=key, private=key.with_suffix("")))
    assert caught.value.exit_code == 2
