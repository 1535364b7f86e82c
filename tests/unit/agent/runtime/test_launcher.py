from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT, machine_at, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import launcher
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.plain_text import one_line

NEW = Contract(CONTRACT)
SETTINGS = {"public_host": "filae.test", "settings": {"SMTP_HOST": "relay", "UNDECLARED": "x"}}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "Gemfile").write_text("")
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials/secret_key_base").write_text("a secret\n")
    return tmp_path


def environment(release: Path, process: str = "web", **changes: object) -> dict[str, str]:
    inherited = {
        "CREDENTIALS_DIRECTORY": str(release / "credentials"),
        "LISTEN_FDS": "1",
        "PATH": "/evil",
        "FOO": "1",
    }
    return launcher.environment(Contract({**CONTRACT, **changes}), SETTINGS, release, process, inherited, "/srv/filae")


def test_the_toolkit_gives_its_names_and_lets_only_systemds_through(release: Path) -> None:
    env = environment(release)
    assert env["RAILS_ENV"] == env["RACK_ENV"] == "production"
    assert env["DATABASE_URL"] == "postgresql:///filae?host=/run/postgresql"
    assert env["PUBLIC_HOST"] == "filae.test"
    assert env["LISTEN_FDS"] == "1"
    assert "FOO" not in env
    assert env["PATH"] == "/usr/local/bin:/usr/bin:/bin"


def test_settings_are_those_that_the_contract_names(release: Path) -> None:
    env = environment(release)
    assert (env["LOG_LEVEL"], env["SMTP_HOST"], env["TZ"]) == ("warn", "relay", "UTC")
    assert "UNDECLARED" not in env
    assert launcher.missing_settings(NEW, {}) == ["SMTP_HOST"]


def test_a_secret_is_in_the_environment_only_where_the_contract_says(release: Path) -> None:
    assert environment(release)["SECRET_KEY_BASE"] == "a secret"
    silent = environment(release, secrets={"secret_key_base": {"generate": "hex64"}})
    assert "a secret" not in silent.values()


def test_the_contract_does_not_replace_the_toolkits_names(release: Path) -> None:
    env = environment(release, env={"DATABASE_URL": "postgresql://elsewhere", "TZ": "UTC"})
    assert env["DATABASE_URL"].startswith("postgresql:///filae")


def test_migrations_do_not_write_the_schema_file(release: Path) -> None:
    assert environment(release, "migrate")["SCHEMA"] == "/dev/null"
    assert "SCHEMA" not in environment(release)


def test_bundler_is_told_not_to_write(release: Path) -> None:
    env = environment(release)
    assert env["BUNDLE_FROZEN"] == "true"
    assert env["BUNDLE_GEMFILE"] == str(release / "Gemfile")
    assert "BUNDLE_PATH" not in env
    assert environment(release, gems="vendored")["BUNDLE_PATH"] == str(release / "vendor/bundle")
    (release / "Gemfile").unlink()
    assert not any(name.startswith("BUNDLE") for name in environment(release))


@pytest.mark.parametrize(
    ("word", "program"),
    [("bin/rake", "/r/bin/rake"), ("bundle", "/usr/bin/bundle"), ("vendor/x/y", "/r/vendor/x/y")],
)
def test_the_first_word_names_the_program(word: str, program: str) -> None:
    assert launcher.program([word, "-x"], Path("/r")) == program


@pytest.mark.parametrize("instance", ["blue", "worker-blue", "a-b-blue"])
def test_a_colour_runs_the_version_of_its_file(tmp_path: Path, instance: str) -> None:
    machine, _ = machine_at(tmp_path)
    machine.layout.colour_file("blue").write_text("2.0.0\n")
    assert launcher.version_of(machine.layout, instance, {"RELEASE": "9.9.9"}) == "2.0.0"


def test_without_a_colour_the_release_is_named(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    assert launcher.version_of(machine.layout, "", {"RELEASE": "2.1.0"}) == "2.1.0"
    for wrong in ("", "../x", "2"):
        with pytest.raises(Refused, match="is not a version"):
            launcher.version_of(machine.layout, "", {"RELEASE": wrong})
    with pytest.raises(Refused, match="no release was started"):
        launcher.version_of(machine.layout, "green", {})


def test_an_unknown_process_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.1.0")
    assert NEW.command("timer:prune") == ["bin/rake", "prune"]
    with pytest.raises(Refused, match="no process 'files_check'"):
        NEW.command("files_check")


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        *[("public_host", {"public_host": value}) for value in ("", "a\nb", "a b", "A.test", None, 1, ["a"], "a/b")],
        *[("settings", {"settings": value}) for value in (None, [], "x")],
        *[
            ("settings", {"settings": {name: "x"}})
            for name in ("a", "A B", "A=B", "A\n", "", "PATH", "LD_PRELOAD", "PGHOST")
        ],
        *[
            ("settings.A", {"settings": {"A": value}})
            for value in ("a\nb", "a\0b", "\x1b[2J", 1, True, None, ["a"], 1.5)
        ],
    ],
)
def test_settings_that_provisioning_never_wrote_are_refused(tmp_path: Path, key: str, changes: dict[str, Any]) -> None:
    machine, _ = machine_at(tmp_path)
    machine.layout.settings.write_text(json.dumps({**SETTINGS, **changes}))
    with pytest.raises(Refused) as caught:
        launcher.placed_settings(machine.layout)
    assert caught.value.message.startswith(f"{machine.layout.settings}: {key}: ")
    assert one_line(caught.value.message)
    assert caught.value.next_step == "filae-ops provision"


def test_settings_are_read_as_they_were_placed(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    machine.layout.settings.write_text(json.dumps({**SETTINGS, "environment": "demo"}))
    assert launcher.placed_settings(machine.layout) == SETTINGS
