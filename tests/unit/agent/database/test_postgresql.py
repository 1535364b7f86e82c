"""The application's database: made once, its schema compared, nothing injected."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from material.agent.databases import Server, machine_with
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import migration_check, postgresql
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed, Result

NEW = Contract(CONTRACT)


@pytest.mark.parametrize(
    ("found", "problem"),
    [("20260901120000", ""), ("20260801000000", "needs 20260901120000"), ("", "schema is 0")],
)
def test_the_schema_is_compared_as_a_number(tmp_path: Path, found: str, problem: str) -> None:
    def psql(argv: object, stdin: str | None) -> Result:
        return Result(0, "present\n" if "to_regclass" in (stdin or "") else f'"{found}"\n' if found else "")

    machine, runner = machine_at(tmp_path, {"runuser -u filae": psql})
    said = postgresql.schema_problem(NEW, postgresql.schema_version(machine))
    assert problem in said
    assert bool(said) == bool(problem)
    assert proof.schema(machine, NEW).status == ("fail" if problem else "pass")
    assert all("20260901120000" not in line for line in runner.lines())


@pytest.mark.parametrize("version", ["NaN", "Infinity", "1.5", "-1", " 1", "1\n", "9" * 21, "9" * 5000, "x" * 40, "²"])
def test_a_version_that_is_no_number_is_a_failure_that_names_the_table(tmp_path: Path, version: str) -> None:
    machine, _ = machine_with(tmp_path, Server(NEW.get("migrate")["schema_version"]))
    assert proof.schema(machine, NEW).status == "pass"
    machine, _ = machine_with(tmp_path / "odd", Server(version))
    said = r"filae\.public\.schema_migrations holds a version that is no number"
    for ask in (postgresql.schema_version, partial(migration_check.pending, contract=NEW)):
        with pytest.raises(Failed, match=said) as caught:
            ask(machine)
        assert caught.value.next_step
        assert len(str(caught.value)) < 200
    verdict = proof.schema(machine, NEW, ahead=True)
    assert verdict.status == "fail"
    assert "schema_migrations" in verdict.message


def test_a_database_without_a_schema(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path, {"runuser": Result(0, "absent")})
    assert "no schema_migrations" in postgresql.schema_problem(NEW, postgresql.schema_version(machine))
    assert postgresql.schema_problem(Contract({**CONTRACT, "migrate": None}), None) == ""


def test_the_database_is_made_with_its_grants_and_nothing_is_injected(tmp_path: Path) -> None:
    answers = {"runuser": lambda argv, stdin: Result(0, "2" if "pg_roles" in stdin else "")}
    machine, runner = machine_at(tmp_path, answers)
    assert postgresql.ensure(machine, NEW) == {"created": True}
    sql = "\n".join(filter(None, runner.stdins))
    assert "CREATE DATABASE filae OWNER filae_migrate" in sql
    assert 'CREATE EXTENSION IF NOT EXISTS "pg_trgm"' in sql


@pytest.mark.parametrize("value", ["C'; DROP", "C.UTF-8'", "C.UTF-8\n", "C.UTF-8\\", "../x.UTF-8", "C.UTF-8\0"])
def test_a_locale_that_is_more_than_a_literal_is_not_written(tmp_path: Path, value: str) -> None:
    machine, runner = machine_at(tmp_path)
    with pytest.raises(Failed, match=r"cannot be given database\.locale") as caught:
        postgresql.ensure(machine, Contract({**CONTRACT, "database": {"locale": value}}))
    assert "bundle build" in caught.value.next_step
    assert runner.argvs == []


@pytest.mark.parametrize("value", ['x"; DROP', "pg_trgm\n", "x\\", "X", "x y", "x;", "", "x\0", "é"])
def test_an_extension_that_is_more_than_a_name_is_not_written(tmp_path: Path, value: str) -> None:
    machine, runner = machine_at(tmp_path)
    with pytest.raises(Failed, match=r"cannot be given database\.extensions"):
        postgresql.ensure(machine, Contract({**CONTRACT, "database": {"extensions": ["pg_trgm", value]}}))
    assert runner.argvs == []


def test_provision_must_have_made_the_roles(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path, {"runuser": Result(0, "0")})
    with pytest.raises(Refused, match="lacks the roles"):
        postgresql.ensure(machine, NEW)


def test_every_session_looks_at_postgresqls_own_names_first_and_is_bounded(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server(invalid=["public.i"], roles="2"))
    postgresql.ensure(machine, NEW)
    postgresql.exists(machine)
    postgresql.size(machine)
    postgresql.schema_version(machine)
    postgresql.transactions(machine, older=1)
    postgresql.drop_invalid_indexes(machine)
    postgresql.end_backends(machine)
    for argv in runner.argvs:
        options = argv[argv.index("-d") + 1].partition("options=")[2]
        assert "-c search_path=pg_catalog,pg_temp " in options
        assert "-c statement_timeout=60s -c lock_timeout=3s " in options


def test_the_superuser_gives_grants_in_the_applications_database_and_does_nothing_else_there(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server(invalid=["public.i"], roles="2"))
    postgresql.ensure(machine, NEW)
    postgresql.schema_version(machine)
    postgresql.drop_invalid_indexes(machine)
    inside = [(argv[2], sql) for argv, sql in zip(runner.argvs, runner.stdins, strict=True)
              if argv[argv.index("-d") + 1].startswith("dbname=filae ")]  # fmt: skip
    assert [sql for user, sql in inside if user == "postgres"] == [postgresql.GRANTS]
    assert ("filae_migrate", "DROP INDEX CONCURRENTLY public.i;\n") in inside


@pytest.mark.parametrize("name", ['public."a\nb"', 'public."; DROP TABLE t; --"', 'x."""\\q é"'])
def test_an_index_is_dropped_whatever_its_name_holds(tmp_path: Path, name: str) -> None:
    machine, runner = machine_with(tmp_path, Server(invalid=[name, "public.i"]))
    assert postgresql.drop_invalid_indexes(machine) == [name, "public.i"]
    assert runner.stdins[-1] == f"DROP INDEX CONCURRENTLY {name};\nDROP INDEX CONCURRENTLY public.i;\n"


def test_extensions_are_installed_by_the_databases_owner_who_may_install_trusted_ones(tmp_path: Path) -> None:
    def refused(argv: object, stdin: str | None) -> Result:
        return Result(3, "", 'ERROR:  permission denied to create extension "dblink"') if "dblink" in str(stdin) else (
            Result(0, "1" if "pg_database" in str(stdin) else "2"))  # fmt: skip

    machine, runner = machine_at(tmp_path, {"runuser": refused})
    with pytest.raises(Refused, match=r"extension 'dblink': .*permission denied.*only trusted extensions") as caught:
        postgresql.ensure(machine, Contract({**CONTRACT, "database": {"extensions": ["pg_trgm", "dblink", "citext"]}}))
    assert caught.value.owner == "provider"
    assert "database.extensions" in caught.value.next_step
    asked = [(argv[2], sql) for argv, sql in zip(runner.argvs, runner.stdins, strict=True) if "EXTENSION" in str(sql)]
    assert asked == [
        ("filae_migrate", f'CREATE EXTENSION IF NOT EXISTS "{name}" SCHEMA public') for name in ("pg_trgm", "dblink")
    ]
