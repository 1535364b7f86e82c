"""The table of the schema's version: read without running anyone's code, and not the application's to write."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.databases import HOLDER, NEW, OLD, Server, machine_with
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import migration_check, schema_table
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.system.process import Failed, Result

RELEASE = Contract(CONTRACT)


@pytest.mark.parametrize(("schema", "problem"), [(NEW, ""), (OLD, f"needs {NEW}"), ("", "no schema_migrations")])
def test_the_schema_is_compared_as_a_number(tmp_path: Path, schema: str, problem: str) -> None:
    machine, runner = machine_with(tmp_path, Server(schema))
    told = schema_table.problem(RELEASE, schema_table.version(machine))
    assert problem in told
    assert bool(told) == bool(problem)
    assert proof.schema(machine, RELEASE).status == ("fail" if problem else "pass")
    assert all(NEW not in line for line in runner.lines())


def test_the_highest_version_counts_and_a_table_without_one_is_schema_0(tmp_path: Path) -> None:
    for rows, highest in (("9\n10\n8\n", 10), ("", 0)):
        server = Server()
        machine, runner = machine_with(tmp_path / str(highest), server)
        runner.answers = {"runuser": partial(copied, server, rows)}
        assert schema_table.version(machine) == highest


def copied(server: Server, rows: str, argv: Any, stdin: str | None) -> Result:
    return Result(0, rows) if "COPY" in str(stdin) else server(argv, stdin)


def test_a_contract_without_a_schema_has_no_problem() -> None:
    assert schema_table.problem(Contract({**CONTRACT, "migrate": None}), None) == ""


@pytest.mark.parametrize(
    "version", ["NaN", "Infinity", "1.5", "-1", " 1", "1\\n", "\\N", "9" * 21, "9" * 5000, "x" * 40, "²", "\x1b[2J"]
)
def test_a_version_that_is_no_number_is_a_failure_that_names_the_table(tmp_path: Path, version: str) -> None:
    machine, _ = machine_with(tmp_path, Server(version))
    said = r"filae\.public\.schema_migrations holds a version that is no number"
    for ask in (schema_table.version, partial(migration_check.pending, contract=RELEASE)):
        with pytest.raises(Failed, match=said) as caught:
            ask(machine)
        assert caught.value.next_step
        assert len(str(caught.value)) < 200
        assert "\x1b" not in str(caught.value)
    verdict = proof.schema(machine, RELEASE, ahead=True)
    assert verdict.status == "fail"
    assert "schema_migrations" in verdict.message


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "v"}, "no plain table"),
        ({"kind": "m"}, "no plain table"),
        ({"kind": "f"}, "no plain table"),
        ({"kind": "p"}, "no plain table"),
        ({"owner": "filae"}, 'belongs to "filae", not to filae_migrate'),
        ({"type": "public.text"}, 'of the type "public.text"'),
        ({"type": "pg_temp.version\x1b"}, r'of the type "pg_temp.version\\u001b"'),
        ({"type": None}, 'of the type "None"'),
    ],
)
def test_what_is_no_plain_table_of_plain_numbers_is_not_read(tmp_path: Path, table: dict[str, Any], words: str) -> None:
    """A view, a domain, a cast: each is a way to have the application's code run by whoever looks."""
    server = Server()
    server.table |= table
    machine, _ = machine_with(tmp_path, server)
    with pytest.raises(Failed, match=words.replace("\\", "\\\\") if "\x1b" in str(table) else words):
        schema_table.version(machine)
    assert not any("COPY" in sql for sql in server.asked)


def test_it_is_read_by_a_copy_that_plans_and_casts_nothing(tmp_path: Path) -> None:
    server = Server()
    machine, _ = machine_with(tmp_path, server)
    schema_table.version(machine)
    assert [sql for sql in server.asked if "schema_migrations" in sql and "pg_class" not in sql] == [
        "COPY public.schema_migrations (version) TO STDOUT"
    ]


def test_a_table_without_end_and_one_that_is_locked_are_failures(tmp_path: Path) -> None:
    server = Server(open=[HOLDER])
    locked = Result(3, "", "ERROR:  canceling statement due to lock timeout")
    for answer, words in (
        (Result(0, "1\n", cut=True), "more than 1024 KiB"),
        (locked, "it may be held by pid 7211"),
    ):
        machine, runner = machine_with(tmp_path / words[:6], server)
        runner.answers = {"runuser": lambda argv, stdin, a=answer: a if "COPY" in stdin else server(argv, stdin)}
        with pytest.raises(Failed, match=words) as caught:
            schema_table.version(machine)
        assert caught.value.next_step


def test_the_application_may_only_read_it_and_what_rails_keeps_beside_it(tmp_path: Path) -> None:
    excess = '["TABLE public.schema_migrations", "TABLE public.ar_internal_metadata", "SCHEMA public"]'
    machine, runner = machine_at(
        tmp_path, {"runuser": lambda argv, stdin: Result(0, excess if "has_any_column_privilege" in stdin else "")}
    )
    schema_table.protect(machine)
    assert runner.stdins[-1] == (
        "REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLE public.schema_migrations "
        "FROM PUBLIC, filae;\nREVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN ON TABLE "
        "public.ar_internal_metadata FROM PUBLIC, filae;\nREVOKE CREATE ON SCHEMA public FROM PUBLIC, filae"
    )
    machine, _ = machine_with(tmp_path / "none", server := Server(""))
    schema_table.protect(machine)
    assert not any("REVOKE" in sql for sql in server.asked)
