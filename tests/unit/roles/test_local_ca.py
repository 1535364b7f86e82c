"""The authority of a machine without a hospital's: what is left alone, and what is made again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SCRIPT = Path(__file__).parents[3] / "roles/tls/files/local_ca.py"
pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")


@pytest.fixture
def script(tmp_path: Path) -> Path:
    text = SCRIPT.read_text().replace('"/etc/filae/tls"', f'"{tmp_path}"')
    written = tmp_path / "local_ca.py"
    written.write_text(text.replace('"/var/lib/filae-ops/unfinished"', f'"{tmp_path}/state/unfinished"'))
    return written


def ensure(script: Path, *names: str) -> list[str]:
    """Run the script, and its play to the end; return what it changed."""
    argv = [sys.executable, str(script), "apply", ",".join(names)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    shutil.rmtree(script.parent / "state", ignore_errors=True)
    return done.stdout.replace("changed: ", "").splitlines()


@pytest.mark.parametrize("address", ["192.0.2.10", "2001:db8::10", "2001:DB8:0:0::10"])
def test_a_second_run_changes_nothing(script: Path, address: str) -> None:
    assert "server certificate" in ensure(script, "filae.example", address)
    assert ensure(script, "filae.example", address) == []


def test_another_name_needs_another_certificate(script: Path) -> None:
    ensure(script, "filae.example")
    assert "server certificate" in ensure(script, "filae.example", "2001:db8::10")


def test_a_revocation_list_lasts_whatever_an_older_run_set(script: Path) -> None:
    ensure(script, "filae.example")
    settings = script.parent / "local-ca/ca.cnf"
    settings.write_text(settings.read_text().replace("default_crl_days = 90", "default_crl_days = 1"))
    (script.parent / "ca.crl").unlink()
    assert ensure(script, "filae.example") == ["revocation list"]
    assert ensure(script, "filae.example") == []


@pytest.mark.parametrize("name", ["a.example\nsubjectAltName = x", "a.example;x", "[x]", "$ENV::HOME", "-x", ""])
def test_a_name_is_never_a_setting_of_openssl(script: Path, name: str) -> None:
    argv = [sys.executable, str(script), "apply", f"filae.example,{name}"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "a name that no certificate can hold" in done.stderr
    assert not (script.parent / "local-ca").exists()


def test_verify_expects_the_files_that_it_writes_with_the_modes_that_they_have(script: Path) -> None:
    """Also once openssl has written its register and its number again, in a later run."""
    expected = yaml.safe_load((SCRIPT.parents[1] / "meta/writes.yml").read_text())["paths"]
    place, table = script.parent / "tls", {each["path"].replace("/etc/filae/tls", ""): each for each in expected}
    script.write_text(script.read_text().replace(f'DIRECTORY = "{script.parent}"', f'DIRECTORY = "{place}"'))
    for names in (["filae.example"], ["filae.example", "192.0.2.10"]):
        ensure(script, *names)
    modes = {path: f"{path.stat().st_mode & 0o7777:04o}" for path in [place, *place.rglob("*")]}
    written = {"/local-ca/issued/*.pem" if path.parent.name == "issued" else str(path).removeprefix(str(place)): mode
               for path, mode in modes.items()}  # fmt: skip
    default = {"directory": "0755", "file": "0644"}
    assert written == {name: table[name].get("mode", default[table[name]["kind"]]) for name in written}
    assert {name for name, each in table.items() if not each.get("optional")} <= written.keys()
