"""What the agent asks PostgreSQL: sessions that owe nothing to others, who is in the way, what a cut migration left."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from material.agent.databases import HOLDER, Server, machine_with
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import application_database, declared_roles, postgresql, schema_table
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, Result

NEW = Contract(CONTRACT)
# What the owner of a role or of a database may set for its sessions, and would be obeyed by ours.
IN_THE_WAY = [
    "search_path", "role", "default_transaction_read_only", "statement_timeout", "lock_timeout", "transaction_timeout",
    "idle_session_timeout", "local_preload_libraries", "client_encoding", "standard_conforming_strings",
]  # fmt: skip


def test_every_session_looks_at_postgresqls_own_names_first_and_is_bounded(tmp_path: Path) -> None:
    machine, runner = machine_with(tmp_path, Server(invalid=["public.i"]))
    application_database.ensure(machine, NEW)
    postgresql.exists(machine)
    postgresql.size(machine)
    schema_table.version(machine)
    postgresql.transactions(machine, older=1)
    postgresql.drop_invalid_indexes(machine)
    postgresql.end_backends(machine)
    for argv in runner.argvs:
        options = argv[argv.index("-d") + 1].partition("options=")[2]
        assert "-c search_path=pg_catalog,pg_temp " in options
        assert set(IN_THE_WAY) <= set(re.findall(r"-c (\w+)=", options))
        assert ("lc_messages=C" in options) is (argv[2] == "postgres"), "a superuser alone may set it"


def test_what_is_believed_is_asked_as_postgres(tmp_path: Path) -> None:
    """The application's role is asked nothing; the migrating one does what its owner alone should do."""
    machine, runner = machine_with(tmp_path, Server(invalid=["public.i"]))
    application_database.ensure(machine, NEW)
    schema_table.version(machine)
    postgresql.drop_invalid_indexes(machine)
    as_owner = [sql for argv, sql in zip(runner.argvs, runner.stdins, strict=True) if argv[2] != "postgres"]
    assert as_owner == [
        'CREATE EXTENSION IF NOT EXISTS "pg_trgm" SCHEMA public',
        "DROP INDEX CONCURRENTLY public.i;\n",
    ]


def test_the_superuser_gives_grants_in_the_applications_database_and_does_nothing_else_there(tmp_path: Path) -> None:
    """It reads the catalogues and one plain table, as COPY does: no expression of the application's is evaluated."""
    machine, runner = machine_with(tmp_path, Server(invalid=["public.i"]))
    application_database.ensure(machine, NEW)
    schema_table.version(machine)
    postgresql.drop_invalid_indexes(machine)
    inside = [str(sql).strip() for argv, sql in zip(runner.argvs, runner.stdins, strict=True)
              if argv[2] == "postgres" and argv[argv.index("-d") + 1].startswith("dbname=filae ")]  # fmt: skip
    changes = [sql for sql in inside if not sql.startswith("SELECT")]
    assert changes == [
        application_database.GRANTS.strip(),
        declared_roles.revoke(["TABLE public.schema_migrations"]),
        "COPY public.schema_migrations (version) TO STDOUT",
    ]
    read = {name for sql in inside if sql.startswith("SELECT") for name in re.findall(r"(?:FROM|JOIN) ([\w.(]+)", sql)}
    assert all(name.startswith(("pg_", "(")) for name in read), read


@pytest.mark.parametrize("name", ['public."a\nb"', 'public."; DROP TABLE t; --"', 'x."""\\q é"'])
def test_an_index_is_dropped_whatever_its_name_holds(tmp_path: Path, name: str) -> None:
    machine, runner = machine_with(tmp_path, Server(invalid=[name, "public.i"]))
    assert postgresql.drop_invalid_indexes(machine) == [name, "public.i"]
    assert runner.stdins[-1] == f"DROP INDEX CONCURRENTLY {name};\nDROP INDEX CONCURRENTLY public.i;\n"


def test_a_lock_that_does_not_come_names_who_may_hold_it_and_the_way_out(tmp_path: Path) -> None:
    server = Server(open=[HOLDER])

    def locked(argv: list[str], stdin: str | None) -> Result:
        waited = "psql:<stdin>:2: ERROR:  canceling statement due to lock timeout"
        return Result(3, "", waited) if "GRANT" in str(stdin) else server(argv, stdin)

    machine, _ = machine_at(tmp_path, {"runuser": locked})
    with pytest.raises(Failed, match=r"held by pid 7211 \(wardreport\) of filae since") as caught:
        application_database.ensure(machine, NEW)
    for words in ("pg_terminate_backend", "filaectl maintenance on, systemctl stop 'filae-web@*'", "maintenance off"):
        assert words in caught.value.next_step
    asked = next(sql for sql in server.asked if "pg_stat_activity" in sql)
    assert "locktype = 'advisory'" in asked, "one may be held outside of any transaction"


@pytest.mark.parametrize(
    "words",
    ["sorry, too many clients already", "d\ufffdsol\ufffd, trop de clients sont d\ufffdj\ufffd connect\ufffds",
     "remaining connection slots are reserved for roles with the SUPERUSER attribute"],
)  # fmt: skip
@pytest.mark.parametrize("ask", [postgresql.exists, schema_table.version])
def test_connections_that_the_application_holds_are_named_with_the_way_out(
    tmp_path: Path, words: str, ask: Callable[[Machine], object]
) -> None:
    refused = Result(2, "", f'psql: error: connection to server on socket "/run/postgresql" failed: FATAL:  {words}')
    machine, _ = machine_at(tmp_path, {"runuser": refused})
    with pytest.raises(Failed, match="application that runs holds PostgreSQL's connections") as caught:
        ask(machine)
    assert caught.value.next_step.startswith("filaectl maintenance on, systemctl stop 'filae-web@*'")
    assert caught.value.next_step.endswith("try again, then filaectl maintenance off")
