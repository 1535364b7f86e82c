from __future__ import annotations

import re
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


def test_what_the_rest_of_the_sandbox_leaves_writable_is_read_only() -> None:
    assert {"ReadOnlyPaths=/dev/shm", "TemporaryFileSystem=/run:ro"} <= set(unit_text.SANDBOX)


def test_of_the_system_s_sockets_the_application_finds_the_database_s_and_what_resolves_names() -> None:
    (bound,) = (line for line in unit_text.SANDBOX if line.startswith("BindReadOnlyPaths="))
    places = bound.removeprefix("BindReadOnlyPaths=").split()
    assert places == ["/run/postgresql", "-/run/systemd/resolve", "-/run/resolvconf", "-/run/NetworkManager"]


def test_the_application_writes_into_a_journal_of_its_own() -> None:
    assert "LogNamespace=filae" in unit_text.SANDBOX


def test_the_application_has_its_share_of_the_machine_and_no_more() -> None:
    limits = {"Slice=filae.slice", "MemoryMax=60%", "TasksMax=1024", "LimitNOFILE=16384", "LimitCORE=0"}
    assert limits <= set(unit_text.SANDBOX)
    together = (ROLES / "app/templates/filae.slice.j2").read_text().splitlines()
    assert {"MemoryMax=80%", "TasksMax=4096"} <= set(together)


def test_the_application_gets_its_socket_open_and_cannot_replace_it() -> None:
    lines = (ROLES / "app/templates/filae-web@.socket.j2").read_text().splitlines()
    assert {"SocketUser=root", "SocketGroup=filae-door", "SocketMode=0660"} <= set(lines)
    users = (ROLES / "app/vars/main.yml").read_text()
    assert re.findall(r"^  m (\S+) filae-door$", users, re.M) == ["www-data"]


@pytest.mark.parametrize("name", ["web", "worker", "timer"])
def test_the_units_have_the_sandbox_of_the_commands(name: str) -> None:
    lines = (ROLES / f"app/templates/filae-{name}@.service.j2").read_text().splitlines()
    missing = [line for line in unit_text.SANDBOX if line not in lines]
    assert missing == []


def test_each_unit_has_a_pid_namespace_of_its_own() -> None:
    assert "PrivatePIDs=yes" in unit_text.SANDBOX


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_program_that_a_stop_ends_has_not_failed(name: str) -> None:
    """The launcher, which is a namespace's init, cannot end by the signal that ended the program."""
    assert "SuccessExitStatus=143" in (ROLES / f"app/templates/filae-{name}@.service.j2").read_text().splitlines()


def test_the_program_says_itself_that_it_is_ready() -> None:
    """The main process is the launcher."""
    assert "NotifyAccess=all" in (ROLES / "app/templates/filae-web@.service.j2").read_text().splitlines()


def test_a_share_is_written_as_it_is() -> None:
    assert unit_text.setting("MemoryMax", "60%") == "MemoryMax=60%"


def test_a_drop_in_binds_a_unit_to_a_release() -> None:
    text = unit_text.release_dropin(Layout(), NEW, "timer:prune", pin=True)
    assert "Environment=RELEASE=2.1.0" in text
    assert "LoadCredential=secret_key_base:" in text
    assert "TimeoutStartSec=5" in unit_text.release_dropin(Layout(), NEW, "web", start=5)


def texts_and_command_lines() -> tuple[list[str], list[list[str]]]:
    """Return every file and every command line that is written here."""
    layout = Layout()
    properties = unit_text.process_properties(layout, NEW, "setup")
    texts = [
        unit_text.release_dropin(layout, NEW, "web", start=90),
        unit_text.release_dropin(layout, NEW, "timer:prune", pin=True),
        unit_text.timer_unit("prune", "*-*-* 02:30"),
        *unit_text.maintenance_units("2030-01-01 22:00:01 UTC"),
    ]
    argvs = [
        unit_text.transaction_argv("id", "filaectl deploy 2.1.0 by claire"),
        unit_text.recoverer_argv(),
        unit_text.recovery_argv("id"),
        unit_text.oneoff_argv("store-12", ["/x"], user="filae", properties=properties, env={"RELEASE": "2.1.0"}),
    ]
    return texts, argvs


def test_each_line_of_a_unit_is_written_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    made, setting = set[str](), unit_text.setting

    def seen(name: str, value: str) -> str:
        made.add(setting(name, value))
        return setting(name, value)

    monkeypatch.setattr(unit_text, "setting", seen)
    texts, argvs = texts_and_command_lines()
    lines = [line for text in texts for line in text.splitlines() if line and not line.startswith(("#", "["))]
    lines += [argv[at + 1] for argv in argvs for at, word in enumerate(argv) if word == "-p"]
    assert len(lines) > 50
    assert set(lines) - made == set()


def test_nothing_else_writes_units() -> None:
    """A section's heading, a setting or a command line of systemd-run stands in no other file of the agent."""
    agent = Path(unit_text.__file__).parents[1]
    heading = re.compile(r"\[(Unit|Service|Timer|Install)\]|[\"']systemd-run[\"']|[\"'][A-Z][A-Za-z]+=\{")
    assert {p.name for p in agent.rglob("*.py") if heading.search(p.read_text())} <= {"unit_text.py"}


def test_a_word_of_a_command_names_no_variable() -> None:
    argv = unit_text.oneoff_argv("store", ["/x", "/srv/$HOME/${x}"], user="filae", env={"TZ": "a $b %c"})
    assert argv[-1] == "/srv/$$HOME/$${x}"
    assert "--setenv=TZ=a $b %c" in argv, "systemd-run hands values over as they are"
