"""PostgreSQL's two roles have their limits, whatever the application set for its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/database/files/ensure_roles.py"
RUNUSER = """#!/bin/sh
echo "$*" >>"$0.asked"
for sql; do :; done
case $sql in
  *data_checksums*) echo on ;;
  *pg_db_role_setting*) cat "$0.known" ;;
esac
"""
LIMITS = {
    "filae": ["statement_timeout=15s", "lock_timeout=5s", "idle_in_transaction_session_timeout=60s"],
    "filae_migrate": ["statement_timeout=1h", "lock_timeout=3s", "idle_in_transaction_session_timeout=5min"],
}


def roles(**changes: list[tuple[str | None, str]]) -> dict[str, Any]:
    """Return the roles as provisioned, with settings replaced: each with the database that it is for."""
    settings = {name: [(None, item) for item in items] for name, items in LIMITS.items()} | changes
    return {
        name: [{"database": database, "setting": item} for database, item in items] for name, items in settings.items()
    }


def ensure(tmp_path: Path, known: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the changes that the script tells of, and the command lines of psql."""
    for name, text in (("runuser", RUNUSER), ("systemctl", "#!/bin/sh\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "runuser.known").write_text(json.dumps(known))
    done = subprocess.run(
        [sys.executable, SCRIPT, "apply"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = [line.removeprefix("changed: ") for line in done.stdout.splitlines() if "started" not in line]
    return said, (tmp_path / "runuser.asked").read_text().splitlines()


@pytest.mark.parametrize(
    ("filae", "changes"),
    [
        ([(None, item) for item in LIMITS["filae"]], []),
        (
            [(None, "statement_timeout=0"), *((None, item) for item in LIMITS["filae"][1:])],
            ["ALTER ROLE filae SET statement_timeout = '15s'"],
        ),
        (
            [*((None, item) for item in LIMITS["filae"]), ("filae", "statement_timeout=0"), ("filae", "work_mem=64MB")],
            ["ALTER ROLE filae IN DATABASE filae RESET statement_timeout"],
        ),
        (
            [*((None, item) for item in LIMITS["filae"][:2]),
             (None, "application_name=x\nfilae|idle_in_transaction_session_timeout=60s")],
            ["ALTER ROLE filae SET idle_in_transaction_session_timeout = '60s'"],
        ),
    ],
    ids=["as provisioned", "lifted", "lifted in one database", "a line of the application's own"],
)  # fmt: skip
def test_a_limit_that_the_application_lifted_is_set_again(
    tmp_path: Path, filae: list[tuple[str | None, str]], changes: list[str]
) -> None:
    said, asked = ensure(tmp_path, roles(filae=filae))
    assert said == changes
    assert [line.partition(" -c ALTER ")[2] for line in asked if "ALTER" in line] == [
        line.removeprefix("ALTER ") for line in changes
    ]


def test_roles_that_are_absent_are_made(tmp_path: Path) -> None:
    said, _ = ensure(tmp_path, {"postgres": []})
    assert [line.split(" LOGIN ")[0] for line in said if line.startswith("CREATE")] == [
        "CREATE ROLE filae", "CREATE ROLE filae_migrate",
    ]  # fmt: skip


def test_every_session_looks_at_postgresqls_own_names_first(tmp_path: Path) -> None:
    _, asked = ensure(tmp_path, {"postgres": []})
    assert all("-c search_path=pg_catalog,pg_temp " in line for line in asked if "psql" in line)
