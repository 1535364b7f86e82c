from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import unit_text
from filae_ops.agent.system.layout import Layout

ROLES = Path(__file__).parents[4] / "roles"
NEW = Contract(CONTRACT)


def test_the_name_of_the_transaction_is_the_lock_and_its_death_starts_recovery() -> None:
    argv = unit_text.transaction_argv("id", "deploy 2.1.0 by claire")
    assert argv[:2] == ["systemd-run", "--unit=filae-transaction"]
    assert "--description=deploy 2.1.0 by claire" in argv
    assert "OnFailure=filae-recover.service" in argv
    assert argv[-3:] == ["/usr/local/sbin/filaectl", "_transaction", "id"]


def test_the_unit_of_recovery_starts_the_recoverer() -> None:
    text = (ROLES / "agent/templates/filae-recover.service.j2").read_text().replace("\\\n", " ")
    command = next(line for line in text.splitlines() if line.startswith("ExecStart=-"))
    assert shlex.split(command.removeprefix("ExecStart=-")) == unit_text.recoverer_argv()


def test_a_command_of_a_release_runs_in_the_sandbox_and_dies_with_the_transaction() -> None:
    argv = unit_text.oneoff_argv("migrate", ["/x"], user="filae_migrate", env={"RELEASE": "2"}, seconds=60)
    for item in (
        *unit_text.SANDBOX,
        "User=filae_migrate",
        "BindsTo=filae-transaction.service",
        "RuntimeMaxSec=60",
    ):
        assert argv[argv.index(item) - 1] == "-p"
    assert {"--wait", "--pipe", "--collect", "--setenv=RELEASE=2"} <= set(argv)
    assert not any(w.startswith("BindsTo") for w in unit_text.oneoff_argv("probe", ["/x"], user="filae", bound=False))


def test_secrets_are_credentials_and_those_of_setup_are_only_its_own() -> None:
    web = unit_text.process_properties(Layout(), NEW, "web")
    assert "LoadCredential=secret_key_base:/etc/filae/secrets/secret_key_base" in web
    assert not any("admin_password" in line for line in web)
    assert any("admin_password" in line for line in unit_text.process_properties(Layout(), NEW, "setup"))
    assert "ReadWritePaths=/srv/filae/files/attachments" in web
    assert "ReadWritePaths=/var/cache/filae/2.1.0" in web


@pytest.mark.parametrize("name", ["web", "worker", "timer"])
def test_the_units_have_the_sandbox_of_the_commands(name: str) -> None:
    lines = (ROLES / f"app/templates/filae-{name}@.service.j2").read_text().splitlines()
    missing = [line for line in unit_text.SANDBOX if line not in lines]
    assert missing == []


def test_a_drop_in_binds_a_unit_to_a_release() -> None:
    text = unit_text.release_dropin(Layout(), NEW, "timer:prune", pin=True)
    assert "Environment=RELEASE=2.1.0" in text
    assert "LoadCredential=secret_key_base:" in text
    assert "TimeoutStartSec=5" in unit_text.release_dropin(Layout(), NEW, "web", start=5)
