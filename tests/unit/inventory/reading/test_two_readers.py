"""Two readers, one truth: what the files say and what Ansible applies."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from material.inventories import DEMO, offline, quick

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.ansible_values import ansible_values, environment, inventory_argv
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read

ENCRYPTED = "$ANSIBLE_VAULT;1.1;AES256\n61336562\n"


def test_both_readers_say_the_same():
    assert ansible_values(DEMO / "hosts.yml") == read(DEMO).hostvars()


def test_a_directory_or_its_hosts_file_without_the_vault_password(site, monkeypatch):
    (site / "secrets.yml").write_text(ENCRYPTED)
    (site / "evidence").mkdir()
    (site / "evidence" / "minutes.pdf").write_bytes(b"%PDF")
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "/nonexistent")
    assert load(site) == load(site / "hosts.yml") == quick(site)


@pytest.mark.parametrize("name", [".", "hosts.yml"])
def test_ansible_itself_reads_both_without_the_vault_password(site, name):
    (site / "secrets.yml").write_text(ENCRYPTED)
    argv = [*inventory_argv(site / name)]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["filae"]["hosts"] == ["filae-demo"]


def test_a_relative_path_works(site, monkeypatch):
    monkeypatch.chdir(site.parent)
    assert load(site.relative_to(site.parent)).site.name == "chv-demo"


def test_two_machines_and_the_long_form(site):
    hosts = site / "hosts.yml"
    lines = hosts.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("    filae-demo:"))
    second = [line.replace("filae-demo", "filae-deux") for line in lines[start:]]
    text = "\n".join(["all:", "  children:", *(f"    {line}" for line in [*lines, *second])])
    hosts.write_text(text + "\n")
    assert list(load(site).hosts) == ["filae-demo", "filae-deux"]


def test_dates_and_texts_that_yaml_converts(site):
    app = site / "group_vars/all/app.yml"
    app.write_text(app.read_text().replace('"fr"', '"yes"'))
    assert load(site).app.settings["APP_LOCALE"] == "yes"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values["filae-demo"]["site"].update(name="other"), "another value to `site`"),
        (lambda values: values["filae-demo"].update(extra=1), "another value to `extra`"),
        (lambda values: values["filae-demo"].pop("backup"), "another value to `backup`"),
        (lambda values: values.update(other={}), r"Ansible finds \['filae-demo', 'other'\]"),
    ],
    ids=["changed", "added", "lost", "machine"],
)
def test_a_disagreement_is_refused(site, change, said):
    def reader(hosts_file):
        values = offline(hosts_file)
        change(values)
        return values

    with pytest.raises(OpsError, match=said):
        load(site, reader=reader)


def test_the_callers_own_settings_of_ansible_do_not_count(monkeypatch):
    monkeypatch.setenv("ANSIBLE_INVENTORY_ENABLED", "script")
    assert environment()["ANSIBLE_INVENTORY_ENABLED"] == "yaml"
    assert {key for key in environment() if key.startswith("ANSIBLE_")} == {
        "ANSIBLE_CONFIG",
        "ANSIBLE_INVENTORY_ENABLED",
        "ANSIBLE_NOCOLOR",
    }
    assert "PATH" in os.environ


def test_an_executable_inventory_is_never_run(site, tmp_path):
    hosts = site / "hosts.yml"
    mark = tmp_path / "ran"
    hosts.write_text(f"#!/usr/bin/env -S touch {mark}\n{hosts.read_text()}")
    hosts.chmod(0o755)
    with pytest.raises(OpsError, match="a program, by its first line"):
        load(site)
    hosts.chmod(0o644)
    assert load(site).site.name == "chv-demo"
    assert not mark.exists()


def test_ansible_that_fails_or_is_not_there(site, monkeypatch, tmp_path):
    fake = tmp_path / "python3"
    monkeypatch.setattr("sys.executable", str(fake))
    with pytest.raises(OpsError, match="ansible-core is not installed"):
        load(site)
    fake.with_name("ansible-inventory").write_text("#!/bin/sh\necho broken >&2\nexit 4\n")
    fake.with_name("ansible-inventory").chmod(0o755)
    with pytest.raises(OpsError, match="broken"):
        load(site)
