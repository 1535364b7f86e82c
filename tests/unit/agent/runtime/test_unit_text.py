from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.frontdoor import nginx, site_include
from filae_ops.agent.runtime import unit_text
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.process import Failed
from filae_ops.agent.zipapp import build_zipapp

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


@pytest.mark.parametrize(
    ("changes", "wanted", "unwanted"),
    [
        (
            {},
            ["root /opt/filae/releases/2.1.0/public;", "client_max_body_size 20m;",
             "try_files $uri /index.html;", "location /api/ {", "location = /index.html { expires -1; }"],
            ["@application"],
        ),
        (
            {"client": {"directory": "public", "otherwise": "app"}},
            ["try_files $uri @application;", "location @application {"],
            ["index.html", "client_max_body_size"],
        ),
        ({"client": None}, ["location / { include"], ["root ", "try_files"]),
        ({"health": {"path": "/up"}}, ["location = /up {"], []),
    ],
)  # fmt: skip
def test_what_nginx_serves_and_what_it_hands_over(
    changes: dict[str, object], wanted: list[str], unwanted: list[str]
) -> None:
    text = site_include.server(Layout(), Contract({**CONTRACT, **changes}))
    assert [line for line in wanted if line not in text] == []
    assert [line for line in unwanted if line in text] == []
    assert text.count("proxy_pass") == text.count("include /etc/nginx/filae/proxy-headers.conf;")
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    "changes",
    [
        {"health": {"path": "/x { } evil"}},
        {"client": {"directory": "public", "otherwise": "a;b"}},
        {"client": {"directory": "public", "otherwise": "app", "max_body": "1m; evil on"}},
    ],
)
def test_nothing_of_a_contract_breaks_out_of_an_include(changes: dict[str, object]) -> None:
    with pytest.raises(Failed):
        site_include.server(Layout(), Contract({**CONTRACT, **changes}))


def test_a_pair_that_nginx_refuses_does_not_stay(tmp_path: Path) -> None:
    from filae_ops.agent.system.process import Result

    machine, _ = machine_at(tmp_path, {"nginx -t": Result(1, "", "no")})
    (machine.layout.nginx / "upstream.conf").write_text("old")
    (machine.layout.nginx / "live.conf").write_text("old too")
    with pytest.raises(Failed, match="nginx -t"):
        nginx.put(machine, {"upstream.conf": "new", "live.conf": "new too"})
    assert (machine.layout.nginx / "upstream.conf").read_text() == "old"
    assert (machine.layout.nginx / "live.conf").read_text() == "old too"


def test_the_former_pair_comes_back_once_saved(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    assert nginx.restore(machine, "t1") is False
    (machine.layout.nginx / "upstream.conf").write_text("old")
    nginx.save(machine, "t1")
    (machine.layout.nginx / "upstream.conf").write_text("new")
    nginx.save(machine, "t1")
    assert nginx.restore(machine, "t1") is True
    assert (machine.layout.nginx / "upstream.conf").read_text() == "old"
    assert "systemctl reload nginx.service" in runner.lines()


def test_nginx_workers_are_told_apart(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    for pid, title in ((10, b"nginx: master process"), (11, b"nginx: worker process"), (12, b"ruby"),
                       (13, b"nginx: worker process is shutting down")):  # fmt: skip
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "cmdline").write_bytes(title)
    assert nginx.workers(machine) == {11: "working", 13: "leaving"}


def test_the_packed_agent_is_the_same_bytes_and_runs(tmp_path: Path) -> None:
    first, second = build_zipapp(tmp_path / "a"), build_zipapp(tmp_path / "b")
    assert first == second == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    done = subprocess.run([sys.executable, "-I", tmp_path / "a", "--help"], capture_output=True, text=True, check=True)
    assert {"deploy", "recover", "status"} <= set(re.findall(r"\w+", done.stdout))


def test_the_agent_needs_no_installed_package(tmp_path: Path) -> None:
    build_zipapp(tmp_path / "a")
    argv = [sys.executable, "-I", "-S", str(tmp_path / "a"), "journal", "--json"]
    assert subprocess.run(argv, capture_output=True).returncode == 0
