"""PostgreSQL's roles and the application's database are as declared, whatever the application set for its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from material.postgresql_roles import known

FILES = Path(__file__).parents[3] / "roles/database/files"
RUNUSER = """#!/bin/sh
printf '%s\\n' "$*" >>"$0.asked"
for sql; do :; done
case $sql in
  *data_checksums*) echo on ;;
  *LOCK*) [ ! -e "$0.refuses" ] || { echo 'ERROR:  canceling statement due to lock timeout' >&2; exit 3; } ;;
  *pg_auth_members*) cat "$0.known" ;;
  *has_any_column*) cat "$0.excess" 2>/dev/null || echo '[]' ;;
esac
"""


def run(tmp_path: Path, roles: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the script as it is sent to the machine."""
    for name, text in (("runuser", RUNUSER), ("systemctl", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "runuser.known").write_text(json.dumps(roles))
    script = subprocess.run([sys.executable, FILES / "print_script.py"], capture_output=True, check=True, text=True)
    return subprocess.run(
        [sys.executable, "-I", "-", "apply"], input=script.stdout, capture_output=True, text=True, check=False,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip


def ensure(tmp_path: Path, roles: dict[str, Any]) -> tuple[list[str], str]:
    """Return the changes that the script tells of, and all that psql was given."""
    done = run(tmp_path, roles)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("changed: ")]
    return [line for line in told if "started" not in line], (tmp_path / "runuser.asked").read_text()


def test_roles_as_declared_are_left_alone(tmp_path: Path) -> None:
    told, asked = ensure(tmp_path, known())
    assert told == []
    assert "ALTER" not in asked


@pytest.mark.parametrize(
    ("role", "database", "settings", "statement"),
    [
        ("filae", None, ["search_path=nowhere"], "ALTER ROLE filae RESET ALL"),
        ("filae", None, ["default_transaction_read_only=on"], "ALTER ROLE filae SET statement_timeout = '15s'"),
        ("filae", None, ["role=filae_migrate", "local_preload_libraries=x"], "ALTER ROLE filae RESET ALL"),
        ("filae", "filae", ["work_mem=64kB"], 'ALTER ROLE filae IN DATABASE "filae" RESET ALL'),
        ("filae_migrate", None, ["lock_timeout=0"], "ALTER ROLE filae_migrate SET lock_timeout = '3s'"),
        ("postgres", "filae", ["role=filae"], 'ALTER ROLE postgres IN DATABASE "filae" RESET ALL'),
        (None, "filae", ["default_transaction_read_only=on"], 'ALTER DATABASE "filae" RESET ALL'),
        (None, None, ["work_mem=64kB"], "ALTER ROLE ALL RESET ALL"),
    ],
)
def test_settings_are_exactly_the_declared_ones(
    tmp_path: Path, role: str | None, database: str | None, settings: list[str], statement: str
) -> None:
    told, asked = ensure(tmp_path, known(settings=[(role, database, settings)]))
    assert len(told) == 1
    assert json.dumps(settings[0]) in told[0]
    assert statement in told[0]
    assert statement in asked


@pytest.mark.parametrize(
    ("changes", "statement"),
    [
        ({"filae": {"SUPERUSER": True}}, "ALTER ROLE filae NOSUPERUSER"),
        ({"filae": {"LOGIN": False}}, "ALTER ROLE filae LOGIN"),
        ({"filae_migrate": {"INHERIT": True}}, "ALTER ROLE filae_migrate NOINHERIT"),
        ({"filae": {"connections": 5}}, "ALTER ROLE filae CONNECTION LIMIT 60"),
        ({"filae": {"password": True}}, "ALTER ROLE filae PASSWORD NULL"),
    ],
)
def test_attributes_are_exactly_the_declared_ones(
    tmp_path: Path, changes: dict[str, dict[str, Any]], statement: str
) -> None:
    told, _ = ensure(tmp_path, known(roles=changes))
    assert [line.rpartition(": ")[2] for line in told] == [statement]


def test_nobody_is_a_member_of_anything(tmp_path: Path) -> None:
    rows = [
        ("postgres", "filae", "postgres"),
        ("filae_migrate", "mallory", "o\"'x"),
        ("pg_monitor", "icinga", "postgres"),
    ]
    told, _ = ensure(tmp_path, known(memberships=rows))
    assert [line.rpartition(": ")[2] for line in told] == [
        'REVOKE "postgres" FROM "filae" GRANTED BY "postgres" CASCADE',
        'REVOKE "filae_migrate" FROM "mallory" GRANTED BY "o""\'x" CASCADE',
    ]


@pytest.mark.parametrize(
    ("changes", "statement"),
    [
        ({"owner": "filae"}, "OWNER TO filae_migrate"),
        ({"connections": 0}, "CONNECTION LIMIT -1"),
        ({"open": False}, "ALLOW_CONNECTIONS true"),
    ],
)
def test_the_database_is_its_owners_and_open(tmp_path: Path, changes: dict[str, Any], statement: str) -> None:
    told, asked = ensure(tmp_path, known(database=changes))
    assert len(told) == 1
    assert statement in asked


def test_who_holds_the_roles_up_is_ended_first_and_all_is_changed_at_once(tmp_path: Path) -> None:
    _, asked = ensure(tmp_path, known(settings=[("filae", None, ["search_path=nowhere"])]))
    given = asked[asked.index("pg_terminate_backend") :]
    order = ["pg_terminate_backend", "BEGIN", "LOCK TABLE pg_db_role_setting", "ALTER ROLE", "COMMIT"]
    assert sorted(order, key=given.index) == order


def test_a_role_that_cannot_be_changed_names_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "runuser.refuses").touch()
    done = run(tmp_path, known(settings=[("filae", None, ["search_path=nowhere"])]))
    assert done.returncode == 1
    for words in ("lock timeout", "who acts: provider", "filaectl maintenance on, systemctl stop 'filae-web@*'"):
        assert words in done.stderr


def test_other_peoples_text_stays_on_its_line(tmp_path: Path) -> None:
    odd = "application_name=x\nchanged: y\x1b[2J"
    told, _ = ensure(tmp_path, known(settings=[("filae", None, [odd])]))
    assert len(told) == 1
    assert "\x1b" not in told[0]


def test_the_table_of_the_schema_is_not_the_applications_to_write(tmp_path: Path) -> None:
    (tmp_path / "runuser.excess").write_text('["TABLE public.schema_migrations"]')
    told, asked = ensure(tmp_path, known())
    assert [line.partition(": REVOKE ")[0] for line in told] == [
        "changed: the application may write in TABLE public.schema_migrations"
    ]
    assert "-c REVOKE INSERT, UPDATE, DELETE" in asked


def test_roles_that_are_absent_are_made(tmp_path: Path) -> None:
    told, _ = ensure(tmp_path, {"roles": {"postgres": {}}, "settings": [], "memberships": [], "databases": {}})
    made = [line.partition("CREATE ROLE ")[2] for line in told if "CREATE" in line]
    assert [text.split(" LOGIN ")[0] for text in made] == ["filae", "filae_migrate"]
    assert all("NOSUPERUSER" in text and "CONNECTION LIMIT 60" in text for text in made)


def test_every_session_owes_nothing_to_what_others_have_set(tmp_path: Path) -> None:
    _, asked = ensure(tmp_path, known())
    for line in (line for line in asked.splitlines() if "psql" in line):
        for option in ("search_path=pg_catalog,pg_temp", "role=none", "default_transaction_read_only=off"):
            assert f"-c {option} " in line
