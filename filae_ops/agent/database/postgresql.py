"""The application's database: created once, owned by the migrating role, its schema's version compared."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from filae_ops.agent.bundle import field_rules
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.bundle.contract_rules import REBUILD
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import APP_USER, MIGRATE_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

NAME = "filae"
# Given at connection, as these are, they win over what the owner of a database sets for it (ALTER DATABASE … SET): no
# function and no table of the application's stands for one of PostgreSQL's.
SETTINGS = "-c search_path=pg_catalog,pg_temp -c statement_timeout=60s -c lock_timeout=3s -c client_encoding=UTF8"

GRANTS = f"""
REVOKE ALL ON DATABASE {NAME} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {NAME} TO {APP_USER};
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {APP_USER};
ALTER DEFAULT PRIVILEGES FOR ROLE {MIGRATE_USER} GRANT USAGE ON SCHEMAS TO {APP_USER};
ALTER DEFAULT PRIVILEGES FOR ROLE {MIGRATE_USER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_USER};
ALTER DEFAULT PRIVILEGES FOR ROLE {MIGRATE_USER} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {APP_USER};
"""
# The application may write what it likes there: a version that is no number, where there is one; else the highest.
HIGHEST = """
SELECT to_json(coalesce(
  left(min(version::text) FILTER (WHERE version::text !~ '^[0-9]{1,20}$'), 40),
  (max(version::text::numeric) FILTER (WHERE version::text ~ '^[0-9]{1,20}$'))::text))
FROM public.schema_migrations
"""


def psql(machine: Machine, sql: str, *, user: str = "postgres", database: str = "postgres") -> str:
    """Run SQL from stdin as a user of the machine (peer authentication) and return what it prints."""
    argv = ["runuser", "-u", user, "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql",
            "-d", f"dbname={database} options='{SETTINGS}'", "-f", "-"]  # fmt: skip
    return machine.runner.must(argv, stdin=sql, timeout=120).strip()


def ensure(machine: Machine, contract: Contract) -> dict[str, bool]:
    """Create the database, its extensions and its grants where they are missing."""
    wanted = contract.get("database")
    locale = _literal("locale", str(wanted.get("locale") or "C.UTF-8"), field_rules.locale)
    extensions = [_literal("extensions", str(name), field_rules.extension) for name in wanted.get("extensions") or []]
    _require_roles(machine)
    made = not exists(machine)
    if made:
        options = f"OWNER {MIGRATE_USER} TEMPLATE template0 ENCODING 'UTF8' LOCALE '{locale}'"
        psql(machine, f"CREATE DATABASE {NAME} {options}")
    psql(machine, GRANTS, database=NAME)
    for name in extensions:
        _install(machine, name)
    return {"created": made}


def exists(machine: Machine) -> bool:
    """Tell whether the database was created."""
    return psql(machine, f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'") == "1"  # noqa: S608


def size(machine: Machine) -> int:
    """Return the bytes that the database takes on the disk."""
    return int(psql(machine, f"SELECT pg_database_size('{NAME}')"))


def schema_version(machine: Machine) -> int | None:
    """Return the highest version in schema_migrations, as the application sees it; None without the table."""
    sql = "SELECT CASE WHEN to_regclass('public.schema_migrations') IS NULL THEN 'absent' ELSE 'present' END"
    if psql(machine, sql, user=APP_USER, database=NAME) != "present":
        return None
    answer = psql(machine, HIGHEST, user=APP_USER, database=NAME)
    version = str(json.loads(answer)) if answer else "0"
    if not re.fullmatch("[0-9]{1,20}", version):
        raise Failed(
            f"the table {NAME}.public.schema_migrations holds a version that is no number: {version!r:.60}",
            next_step="ask who makes the application why that row is there, have them remove it, then try again",
        )
    return int(version)


def schema_problem(contract: Contract, found: int | None) -> str:
    """Return why this schema is not the release's, or nothing (also when the contract states none)."""
    wanted = contract.get("migrate").get("schema_version")
    if wanted is None:
        return ""
    if found is None:
        return f"the database has no schema_migrations; release {contract.version} needs schema {wanted}"
    return "" if found == int(wanted) else f"the schema is {found}; release {contract.version} needs {wanted}"


def transactions(machine: Machine, *, older: float) -> list[dict[str, Any]]:
    """Return the transactions of others that are open for so many seconds, oldest first; never what they ask."""
    sql = f"""
        SELECT coalesce(json_agg(t ORDER BY t.since), '[]') FROM (
            SELECT pid, application_name AS application, usename AS role, xact_start AS since FROM pg_stat_activity
            WHERE datname = '{NAME}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND xact_start < clock_timestamp() - make_interval(secs => {float(older)})) AS t
    """  # noqa: S608
    found: list[dict[str, Any]] = json.loads(psql(machine, sql) or "[]")
    return found


def words(found: Sequence[dict[str, Any]]) -> str:
    """Return transactions in words: process, application, role, since when."""
    said = []
    for one in found[:3]:
        application = "".join(c for c in str(one["application"]) if c.isprintable())[:60]
        said.append(f"pid {one['pid']} ({application or 'no name'}) of {one['role']} since {str(one['since'])[:19]}")
    return "; ".join(said) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def invalid_indexes(machine: Machine) -> list[str]:
    """Return the indexes that are not valid: what a CREATE INDEX CONCURRENTLY that was cut leaves."""
    sql = """
        SELECT coalesce(json_agg(format('%I.%I', n.nspname, c.relname) ORDER BY n.nspname, c.relname), '[]')
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND c.relkind = 'i'
    """
    names: list[str] = json.loads(psql(machine, sql, user=MIGRATE_USER, database=NAME) or "[]")
    return names


def drop_invalid_indexes(machine: Machine) -> list[str]:
    """Drop them as their owner, without stopping anyone's writes for longer than a moment; return their names."""
    names = invalid_indexes(machine)
    if names:
        sql = "".join(f"DROP INDEX CONCURRENTLY {name};\n" for name in names)
        psql(machine, sql, user=MIGRATE_USER, database=NAME)
    return names


def end_backends(machine: Machine) -> int:
    """End the sessions that a dead migration left, and return how many."""
    others = f"usename = '{MIGRATE_USER}' AND pid <> pg_backend_pid()"
    sql = f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE {others}"  # noqa: S608
    return int(psql(machine, sql) or 0)


def _install(machine: Machine, extension: str) -> None:
    """Install an extension as the database's owner, to whom PostgreSQL allows those that it trusts."""
    sql = f'CREATE EXTENSION IF NOT EXISTS "{extension}" SCHEMA public'
    try:
        psql(machine, sql, user=MIGRATE_USER, database=NAME)
    except Failed as exc:
        raise Refused(
            f"PostgreSQL does not install the extension {extension!r}: {exc}; only trusted extensions are installed, "
            f"which {MIGRATE_USER} may create as the database's owner",
            next_step="build the release without it (database.extensions), or with one that is trusted: "
            "SELECT name FROM pg_available_extension_versions WHERE trusted",
        ) from exc


def _literal(key: str, value: str, rule: field_rules.Rule) -> str:
    """Return a value that stays what it is between the quotes of SQL."""
    try:
        return rule(value)
    except ValueError as exc:
        raise Failed(f"PostgreSQL cannot be given database.{key} {value!r:.100}: it {exc}", next_step=REBUILD) from None


def _require_roles(machine: Machine) -> None:
    sql = f"SELECT count(*) FROM pg_roles WHERE rolname IN ('{APP_USER}', '{MIGRATE_USER}')"  # noqa: S608
    if psql(machine, sql) != "2":
        raise Refused(f"PostgreSQL lacks the roles {APP_USER} and {MIGRATE_USER}", next_step="filae-ops provision")
