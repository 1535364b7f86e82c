from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from material.bundles import public
from typer.testing import CliRunner

from filae_ops.bundle.verify_bundle import verify_bundle
from filae_ops.cli.bundle import app
from filae_ops.errors import OpsError
from filae_ops.writers.openssh import allowed_signers


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_build_then_verify_as_documents(source, tmp_path, keys, signers):
    done = run("build", source, "-o", tmp_path / "out", "--key", keys.good, "--json")
    built = json.loads(done.stdout)
    assert (done.exit_code, built["ok"], built["version"]) == (0, True, "2.1.0")
    assert Path(built["signature"]).is_file()
    assert {row["path"] for row in built["left_out"]} == {".git", "Gemfile.lock", "storage", "tmp"}
    done = run("verify", built["bundle"], "--allowed-signers", signers, "--json")
    assert json.loads(done.stdout)["signed_by"] == "provider"


def test_unsigned_is_said_loudly_and_apart_from_the_result(source, tmp_path):
    done = run("build", source, "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert done.stdout.split() == [str(tmp_path / "out/filae-2.1.0.tar.zst")]
    assert "UNSIGNED: no machine will take" in " ".join(done.stderr.split())


def test_verify_says_what_it_found(good, signers):
    done = run("verify", good.bundle, "--allowed-signers", signers)
    assert "filae 2.1.0, signed by provider" in " ".join(done.stdout.split())


def test_verify_needs_keys(good):
    error = run("verify", good.bundle).exception
    assert isinstance(error, OpsError)
    assert error.exit_code == 2
    assert "--allowed-signers" in error.next_step


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: Path(f"{b}.sig").unlink(), "No such file"),
        (lambda b: b.write_bytes(b.read_bytes()[:-1]), "altered or damaged"),
    ],
)
def test_refusals_are_the_command_line_s_errors(good, signers, tmp_path, change, said):
    bundle = Path(shutil.copy(good.bundle, tmp_path))
    shutil.copy(good.signature, tmp_path)
    change(bundle)
    error = run("verify", bundle, "--allowed-signers", signers).exception
    assert isinstance(error, OpsError)
    assert said in str(error)
    assert error.next_step
    assert error.exit_code == 1


def test_keys_of_an_inventory(good, keys, tmp_path):
    until = dt.datetime.now(dt.UTC).date()
    signer = {"name": "provider", "key": public(keys.good) + " a comment", "until": until}
    path = tmp_path / "allowed_signers"
    path.write_text(allowed_signers([signer]))
    last = dt.datetime.combine(until, dt.time(23, 59, 59), dt.UTC)
    assert verify_bundle(good.bundle, good.signature, path, at=last).principal == "provider"
    with pytest.raises(OpsError, match="has expired"):
        verify_bundle(good.bundle, good.signature, path, at=last + dt.timedelta(seconds=2))


def test_a_key_without_an_end_in_sight(keys):
    signer = {"name": "provider", "key": public(keys.good), "until": dt.date.max}
    assert 'valid-before="99981231Z"' in allowed_signers([signer])
