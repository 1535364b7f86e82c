from __future__ import annotations

import json
from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import postgresql
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.preflight import capacity, checks
from filae_ops.agent.release import apt, store
from filae_ops.agent.runtime import credentials
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Live, other
from filae_ops.agent.system.process import Failed, Result, evidence_of

NEW = Contract(CONTRACT)


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (None, None),
        ("2.0.0", None),
        ("2.1.0", None),
        ("2.2.0", "lower than the live 2.2.0"),
        ("2.1.1-rc.1", "lower than"),
        ("1.9.9", "reached from 2.0.0"),
    ],
)
def test_versions_only_go_up_and_skip_no_stop(live: str | None, words: str | None) -> None:
    now = Live(live, "blue") if live else None
    if words is None:
        checks.only_upwards(NEW, now)
        return
    with pytest.raises(Refused, match=words):
        checks.only_upwards(NEW, now)


@pytest.mark.parametrize(
    ("environment", "signer", "refused"),
    [
        ("production", "demo", True),
        ("production", "demo-release", True),
        ("production", "provider", False),
        ("demo", "demo", False),
    ],
)
def test_production_refuses_the_demo_key(tmp_path: Path, environment: str, signer: str, refused: bool) -> None:
    machine, _ = machine_at(tmp_path, environment=environment)
    if not refused:
        checks.trusted(machine, signer)
        return
    with pytest.raises(Refused, match="demo key"):
        checks.trusted(machine, signer)


@pytest.mark.parametrize(
    ("free", "dump", "refused"), [(299, 0, True), (300, 0, False), (300, 1, True), (301, 1, False)]
)
def test_disk_for_three_times_the_release_and_a_dump(free: int, dump: int, refused: bool) -> None:
    if not refused:
        capacity.disk_room(100, free, dump)
        return
    with pytest.raises(Refused, match="disk") as caught:
        capacity.disk_room(100, free, dump)
    assert caught.value.owner == "dsi"


@pytest.mark.parametrize(
    ("available", "live", "mode"),
    [
        (400, None, "two"),
        (400, 300, "two"),
        (399, None, "refused"),
        (399, 0, "refused"),
        (399, 1, "one"),
        (99, 300, "refused"),
        (100, 300, "one"),
        (0, None, "two"),
    ],
)
def test_two_colours_one_in_place_of_the_other_or_none(available: int, live: int | None, mode: str) -> None:
    """MiB: the release needs 400; what stopping the live one gives back is known, or 0; 0 available is unknown."""
    before = None if live is None else Contract({**CONTRACT, "version": "2.0.0", "memory": live * capacity.MIB})
    if mode != "refused":
        assert capacity.mode(NEW, available * capacity.MIB, before) == mode
        return
    with pytest.raises(Refused, match="memory: ") as caught:
        capacity.mode(NEW, available * capacity.MIB, before)
    assert caught.value.owner == "dsi"


def test_other_content_under_the_live_version_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_release(machine, "2.1.0")
    checks.same_content(machine, {"contract": CONTRACT, "files": []})
    with pytest.raises(Refused, match="other content"):
        checks.same_content(machine, {"contract": CONTRACT, "files": [{"path": "x"}]})


def test_what_is_live_is_what_nginx_and_the_colour_say(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    assert machine.live() is None
    (machine.layout.nginx / "upstream.conf").write_text("# no release yet\n")
    assert machine.live() is None
    make_live(machine, "2.0.0", "green")
    assert machine.live() == Live("2.0.0", "green")
    assert [other(None), other("blue"), other("green")] == ["blue", "green", "blue"]


def test_supplied_secrets_must_be_there_and_others_are_born_once(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    with pytest.raises(Refused, match="mail_password"):
        credentials.ensure(machine, NEW)
    (machine.layout.secrets / "mail_password").write_text("x")
    assert credentials.ensure(machine, NEW) == ["admin_password", "secret_key_base"]
    path = machine.layout.secrets / "secret_key_base"
    born = path.read_text()
    assert len(born.strip()) == 128
    assert path.stat().st_mode & 0o777 == 0o600
    assert credentials.ensure(machine, NEW) == []
    assert path.read_text() == born


def test_packages_that_are_missing(tmp_path: Path) -> None:
    printed = "puma installed\nruby-pg not-installed\n"
    machine, _ = machine_at(tmp_path, {"dpkg-query": Result(1, printed)})
    assert apt.missing(machine, apt.required(NEW)) == ["ruby", "ruby-pg"]
    with pytest.raises(Refused, match="not a package"):
        apt.required(Contract({**CONTRACT, "debian_packages": ["--force", "puma"]}))


def test_packages_are_tried_again_after_the_lists_are_read(tmp_path: Path) -> None:
    tries = iter([Result(100), Result(0)])
    machine, runner = machine_at(tmp_path, {"apt-get -q -y": lambda argv, stdin: next(tries)})
    assert apt.install(machine, ["puma"]) == ["puma"]
    assert runner.lines()[1] == "apt-get -q update"
    assert runner.argvs[2][-2:] == ["--", "puma"]


def test_the_ruby_of_debian(tmp_path: Path) -> None:
    shown = "Package: ruby\nDepends: ruby3.3 (>= 3.3.4), rubygems-integration\n"
    machine, _ = machine_at(tmp_path, {"apt-cache show": Result(0, shown)})
    assert apt.ruby(machine) == "3.3"


@pytest.mark.parametrize(
    ("found", "problem"),
    [("20260901120000", ""), ("20260801000000", "needs 20260901120000"), ("", "schema is 0")],
)
def test_the_schema_is_compared_as_a_number(tmp_path: Path, found: str, problem: str) -> None:
    def psql(argv: object, stdin: str | None) -> Result:
        return Result(0, "present\n" if "to_regclass" in (stdin or "") else f"{found}\n")

    machine, runner = machine_at(tmp_path, {"runuser -u filae": psql})
    said = postgresql.schema_problem(NEW, postgresql.schema_version(machine))
    assert problem in said
    assert bool(said) == bool(problem)
    assert proof.schema(machine, NEW).status == ("fail" if problem else "pass")
    assert all("20260901120000" not in line for line in runner.lines())


def test_a_database_without_a_schema(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path, {"runuser": Result(0, "absent")})
    assert "no schema_migrations" in postgresql.schema_problem(NEW, postgresql.schema_version(machine))
    assert postgresql.schema_problem(Contract({**CONTRACT, "migrate": None}), None) == ""


def test_a_schema_ahead_passes_where_the_release_serves_and_not_before_a_switch(tmp_path: Path) -> None:
    def psql(argv: object, stdin: str | None) -> Result:
        return Result(0, "present\n" if "to_regclass" in (stdin or "") else "20270101000000\n")

    machine, _ = machine_at(tmp_path, {"runuser -u filae": psql})
    assert proof.schema(machine, NEW).status == "fail"
    assert proof.schema(machine, NEW, ahead=True).status == "pass"


def test_the_database_is_made_with_its_grants_and_nothing_is_injected(tmp_path: Path) -> None:
    answers = {"runuser": lambda argv, stdin: Result(0, "2" if "pg_roles" in stdin else "")}
    machine, runner = machine_at(tmp_path, answers)
    assert postgresql.ensure(machine, NEW) == {"created": True}
    sql = "\n".join(filter(None, runner.stdins))
    assert "CREATE DATABASE filae OWNER filae_migrate" in sql
    assert 'CREATE EXTENSION IF NOT EXISTS "pg_trgm"' in sql
    for value in ({"locale": "C'; DROP"}, {"extensions": ['x"; DROP']}):
        with pytest.raises(Failed, match="unsafe"):
            postgresql.ensure(machine, Contract({**CONTRACT, "database": value}))


def test_provision_must_have_made_the_roles(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path, {"runuser": Result(0, "0")})
    with pytest.raises(Refused, match="lacks the roles"):
        postgresql.ensure(machine, NEW)


def test_a_tree_is_bound_to_the_machines_directories(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    tree = put_release(machine, "2.1.0")
    (tree / "tmp-like").mkdir()
    store.bind(machine, tree, NEW)
    assert (tree / "storage").readlink() == machine.layout.files / "attachments"
    assert (tree / "log").readlink() == machine.layout.scratch / "2.1.0/log"
    assert (machine.layout.files / "attachments").stat().st_mode & 0o777 == 0o750
    store.bind(machine, tree, NEW)


def test_the_oldest_releases_go_but_never_those_in_use(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    for version in ("1.9.0", "1.10.0", "2.0.0", "2.1.0", "2.2.0"):
        put_release(machine, version)
    (machine.layout.releases / ".tmp-3.0.0").mkdir()
    assert store.prune(machine, 3, {"1.9.0", "2.2.0"}) == ["1.10.0"]
    assert machine.kept() == ["1.9.0", "2.0.0", "2.1.0", "2.2.0"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "/opt/filae/releases/2/app/x.rb:12:in 'f': Dupont, Marie (ActiveRecord::RecordInvalid)\n"
            "\tfrom /usr/share/rubygems/y.rb:3:in 'g'\n",
            {"exception": "ActiveRecord::RecordInvalid", "frame": "/opt/filae/releases/2/app/x.rb:12"},
        ),
        (
            "rake aborted!\nStandardError: An error has occurred: Marie\n\nCaused by:\n"
            "PG::UndefinedTable: ERROR: Dupont\n"
            "/opt/filae/releases/2/db/migrate/1_a.rb:4:in `change'\n",
            {"exception": "PG::UndefinedTable", "frame": "/opt/filae/releases/2/db/migrate/1_a.rb:4"},
        ),
        (
            '/usr/lib/ruby/pg/connection.rb:3:in `exec\': ERROR: "dupont:1:in" (PG::UndefinedTable)\n'
            "\tfrom /opt/filae/releases/2/bin/migrate:17:in `block in <main>'\n",
            {"exception": "PG::UndefinedTable", "frame": "/opt/filae/releases/2/bin/migrate:17"},
        ),
        ("Note: Marie Dupont\n", {}),
        ("", {}),
    ],
)
def test_evidence_is_a_class_and_a_frame_and_no_word_of_the_output(text: str, found: dict[str, str]) -> None:
    evidence = evidence_of(text)
    assert evidence == found
    assert "Dupont" not in json.dumps(evidence)
    assert "Marie" not in json.dumps(evidence)
