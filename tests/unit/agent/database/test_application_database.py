"""The application's database: made once, nothing injected, its roles as declared at each transaction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from material.agent.databases import PLAN, Server, machine_with
from material.agent.fakes import CONTRACT, machine_at
from material.postgresql_roles import known

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import application_database
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.steps import catalogue, replace
from filae_ops.agent.steps.prepare import Database, Probe, Start
from filae_ops.agent.steps.replace import Replace
from filae_ops.agent.steps.switch import Workers
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed, Result

NEW = Contract(CONTRACT)
NOWHERE = known(settings=[("filae", None, ["search_path=nowhere"])])


def without_database(argv: object, stdin: str | None) -> Result:
    return Result(0, json.dumps(known()) if "pg_auth_members" in str(stdin) else "")


def test_the_database_is_made_with_its_grants_and_nothing_is_injected(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path, {"runuser": without_database})
    assert application_database.ensure(machine, NEW) == {"created": True}
    sql = "\n".join(filter(None, runner.stdins))
    assert "CREATE DATABASE filae OWNER filae_migrate" in sql
    assert 'CREATE EXTENSION IF NOT EXISTS "pg_trgm"' in sql


@pytest.mark.parametrize("value", ["C'; DROP", "C.UTF-8'", "C.UTF-8\n", "C.UTF-8\\", "../x.UTF-8", "C.UTF-8\0"])
def test_a_locale_that_is_more_than_a_literal_is_not_written(tmp_path: Path, value: str) -> None:
    machine, runner = machine_at(tmp_path)
    with pytest.raises(Failed, match=r"cannot be given database\.locale") as caught:
        application_database.ensure(machine, Contract({**CONTRACT, "database": {"locale": value}}))
    assert "bundle build" in caught.value.next_step
    assert runner.argvs == []


@pytest.mark.parametrize("value", ['x"; DROP', "pg_trgm\n", "x\\", "X", "x y", "x;", "", "x\0", "é"])
def test_an_extension_that_is_more_than_a_name_is_not_written(tmp_path: Path, value: str) -> None:
    machine, runner = machine_at(tmp_path)
    with pytest.raises(Failed, match=r"cannot be given database\.extensions"):
        application_database.ensure(machine, Contract({**CONTRACT, "database": {"extensions": ["pg_trgm", value]}}))
    assert runner.argvs == []


def test_provision_must_have_made_the_roles(tmp_path: Path) -> None:
    roles = known()
    del roles["roles"]["filae_migrate"]
    machine, _ = machine_with(tmp_path, Server(roles=roles))
    with pytest.raises(Refused, match="lacks the roles"):
        application_database.ensure(machine, NEW)


def test_extensions_are_installed_by_the_databases_owner_who_may_install_trusted_ones(tmp_path: Path) -> None:
    server = Server()

    def refused(argv: Any, stdin: str | None) -> Result:
        no = Result(3, "", 'ERROR:  permission denied to create extension "dblink"')
        return no if "dblink" in str(stdin) else server(argv, stdin)

    three = Contract({**CONTRACT, "database": {"extensions": ["pg_trgm", "dblink", "citext"]}})
    machine, runner = machine_at(tmp_path, {"runuser": refused})
    with pytest.raises(Refused, match=r"extension 'dblink': .*permission denied.*only trusted extensions") as caught:
        application_database.ensure(machine, three)
    assert caught.value.owner == "provider"
    assert "database.extensions" in caught.value.next_step
    asked = [(argv[2], sql) for argv, sql in zip(runner.argvs, runner.stdins, strict=True) if "EXTENSION" in str(sql)]
    assert asked == [
        ("filae_migrate", f'CREATE EXTENSION IF NOT EXISTS "{name}" SCHEMA public') for name in ("pg_trgm", "dblink")
    ]


@pytest.mark.parametrize("kind", catalogue.KINDS)
def test_each_transaction_resets_what_roles_have_set_of_their_own(tmp_path: Path, kind: tuple[str, str]) -> None:
    """Before any step that starts a process of the application's."""
    names = catalogue.names(*kind)
    assert names.index("database") < min(names.index(n) for n in ("start", "replace", "migrate") if n in names)
    server = Server(roles=NOWHERE)
    machine, _ = machine_with(tmp_path, server)
    done = dict(Database(machine, PLAN).do() or {})
    assert done["reset"] == ['role filae has "search_path=nowhere" of its own']
    (sql,) = [sql for sql in server.asked if "ALTER ROLE" in sql]
    assert "ALTER ROLE filae RESET ALL;\nALTER ROLE filae SET statement_timeout = '15s'" in sql
    assert any("REVOKE INSERT" in sql for sql in server.asked)


def test_a_start_that_fails_names_what_the_application_changed_meanwhile(tmp_path: Path) -> None:
    server = Server()
    machine, _ = machine_with(tmp_path, server)

    def start() -> None:
        with application_database.as_declared(machine):
            server.roles = NOWHERE
            raise Failed("the new release is not healthy", unit="x")

    with pytest.raises(Failed, match=r'not healthy; the application .* role filae has "search_path=nowhere"') as caught:
        start()
    assert caught.value.next_step.startswith("filaectl maintenance on, systemctl stop 'filae-web@*'")
    assert caught.value.evidence == {"unit": "x"}


@pytest.mark.parametrize("step", [Start, Probe, Replace, Workers])
def test_whatever_starts_a_process_of_the_application_looks_at_its_roles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: type[Any]
) -> None:
    machine, _ = machine_with(tmp_path, Server(roles=NOWHERE))

    def fail(*_: Any, **__: Any) -> None:
        raise Failed("it fails")

    for place, name in ((unit_control, "start_web"), (proof, "before_switch"), (replace, "restart"),
                        (unit_control, "start_workers")):  # fmt: skip
        monkeypatch.setattr(place, name, fail)
    with pytest.raises(Failed, match="it fails; the application that runs is in the way: role filae has"):
        step(machine, PLAN).do()


def test_a_start_that_fails_by_itself_says_so_and_no_more(tmp_path: Path) -> None:
    machine, _ = machine_with(tmp_path, Server())
    with pytest.raises(Failed, match=r"^it is broken$"), application_database.as_declared(machine):
        raise Failed("it is broken")
    machine, _ = machine_with(tmp_path / "full", Server(connections=60))
    with pytest.raises(Failed, match="all of its 60 connections"), application_database.as_declared(machine):
        raise Failed("it is broken")


def test_a_start_that_fails_while_the_application_holds_postgresqls_connections_says_so(tmp_path: Path) -> None:
    answers: dict[str, Any] = {"runuser": Server()}
    machine, runner = machine_at(tmp_path, answers)

    def start() -> None:
        with application_database.as_declared(machine):
            runner.answers["runuser"] = Result(2, "", "FATAL:  sorry, too many clients already")
            raise Failed("the new release is not healthy")

    with pytest.raises(Failed, match=r"not healthy; the application .* holds PostgreSQL's connections") as caught:
        start()
    assert caught.value.next_step.startswith("filaectl maintenance on, systemctl stop 'filae-web@*'")
