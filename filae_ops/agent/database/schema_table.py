"""The table that says which schema the database has: read without running anyone's code, and not the application's."""

from __future__ import annotations

import json
import re

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import declared_roles, postgresql
from filae_ops.agent.database.declared_roles import shown
from filae_ops.agent.system.layout import MIGRATE_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, require_tool

TABLE = "public.schema_migrations"
LOOK = """
SELECT coalesce((SELECT json_build_object('kind', c.relkind, 'owner', o.rolname, 'type', format_type(a.atttypid, NULL))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_roles o ON o.oid = c.relowner
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version' AND a.attnum > 0 AND NOT a.attisdropped
  WHERE n.nspname = 'public' AND c.relname = 'schema_migrations'), 'null')
"""
# PostgreSQL's own types, as it names them where only pg_catalog is looked in: a type of the application's, and a
# domain, bears its schema's name.
TYPES = ("bigint", "character", "character varying", "integer", "numeric", "smallint", "text")
# COPY of a table reads its rows and nothing else: no view, no rule, no policy, no child of it, no expression of an
# index that a planner would look at.
READ = f"COPY {TABLE} (version) TO STDOUT"
MOST = 1024 * 1024
ASK = "ask who makes the application why, have them put it right, then try again"


def version(machine: Machine) -> int | None:
    """Return the highest version in schema_migrations; None without the table."""
    table = json.loads(postgresql.psql(machine, LOOK, database=postgresql.NAME) or "null")
    if table is None:
        return None
    if table["kind"] != "r" or table["type"] not in TYPES or table["owner"] != MIGRATE_USER:
        raise Failed(f"{postgresql.NAME}.{TABLE} is not what it should be: {_unlike(table)}", next_step=ASK)
    return max((_number(line) for line in _lines(machine)), default=0)


def problem(contract: Contract, found: int | None) -> str:
    """Return why this schema is not the release's, or nothing (also when the contract states none)."""
    wanted = contract.get("migrate").get("schema_version")
    if wanted is None:
        return ""
    if found is None:
        return f"the database has no schema_migrations; release {contract.version} needs schema {wanted}"
    return "" if found == int(wanted) else f"the schema is {found}; release {contract.version} needs {wanted}"


def protect(machine: Machine) -> None:
    """Leave the application no right but to read what says which schema there is, and none to make anything."""
    excess = json.loads(postgresql.psql(machine, declared_roles.EXCESS, database=postgresql.NAME) or "[]")
    if excess:
        postgresql.psql(machine, declared_roles.revoke(excess), database=postgresql.NAME)


def _unlike(table: dict[str, str | None]) -> str:
    if table["kind"] != "r":
        return "it is no plain table"
    if table["owner"] != MIGRATE_USER:
        return f"it belongs to {shown(str(table['owner']))}, not to {MIGRATE_USER}"
    return f"its column version is of the type {shown(str(table['type']))}, none of PostgreSQL's for numbers or text"


def _lines(machine: Machine) -> list[str]:
    result = postgresql.run(machine, READ, database=postgresql.NAME, most=MOST)
    if "lock timeout" in result.err:
        held = postgresql.held_by(machine)
        raise Failed(f"{postgresql.NAME}.{TABLE} is locked: {held}", next_step=postgresql.WAY_OUT)
    if result.cut:
        raise Failed(f"{postgresql.NAME}.{TABLE} holds more than {MOST // 1024} KiB of versions", next_step=ASK)
    return require_tool(["psql", READ], result).out.split("\n")[:-1]


def _number(line: str) -> int:
    if not re.fullmatch("[0-9]{1,20}", line):
        raise Failed(
            f"the table {postgresql.NAME}.{TABLE} holds a version that is no number: {shown(line):.60}", next_step=ASK
        )
    return int(line)
