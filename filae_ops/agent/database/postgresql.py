"""PostgreSQL as the agent asks it: its sessions, who is in the way, and what a migration that was cut leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from filae_ops.agent.database import declared_roles
from filae_ops.agent.system.layout import MIGRATE_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import MOST, Failed, Result, require_tool

NAME = declared_roles.DATABASE
AGAIN = f"{declared_roles.STOP}, try again, then filaectl maintenance off"
WAY_OUT = (
    f"wait for its end, or as postgres: SELECT pg_terminate_backend(pid); if the application does it again: {AGAIN}"
)


class ConnectionsHeld(Failed):
    """PostgreSQL lets nobody in, not even its administrator: the application holds its connections."""


def connection(database: str, user: str = "postgres") -> str:
    """Return the connection string of a user's session, which owes nothing to what others have set."""
    # A superuser alone may choose the language of the messages, in which a lock is looked for.
    return declared_roles.connection(database, *(["lc_messages=C"] if user == "postgres" else []))


def psql(machine: Machine, sql: str, *, user: str = "postgres", database: str = "postgres") -> str:
    """Run SQL from stdin as a user of the machine (peer authentication) and return what it prints."""
    result = run(machine, sql, user=user, database=database)
    if "lock timeout" in result.err:
        raise Failed(f"PostgreSQL waited for a lock: {held_by(machine)}", next_step=WAY_OUT)
    return require_tool(["psql", f"as {user}"], result).out.strip()


def run(machine: Machine, sql: str, *, user: str = "postgres", database: str = "postgres", most: int = MOST) -> Result:
    """Run SQL as `psql` does, and return how that ended with the last `most` bytes that it printed."""
    argv = ["runuser", "-u", user, "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql",
            "-d", connection(database, user), "-f", "-"]  # fmt: skip
    result = machine.runner.run(argv, stdin=sql, timeout=120, most=most)
    if any(text in result.err for text in declared_roles.NO_CONNECTION_LEFT):
        raise ConnectionsHeld("the application that runs holds PostgreSQL's connections: none is left", next_step=AGAIN)
    return result


def exists(machine: Machine) -> bool:
    """Tell whether the database was created."""
    return psql(machine, f"SELECT 1 FROM pg_database WHERE datname = '{NAME}'") == "1"  # noqa: S608


def size(machine: Machine) -> int:
    """Return the bytes that the database takes on the disk."""
    return int(psql(machine, f"SELECT pg_database_size('{NAME}')"))


def transactions(machine: Machine, *, older: float) -> list[dict[str, Any]]:
    """Return the transactions of others that are open for so many seconds, oldest first; never what they ask."""
    return _sessions(machine, f"xact_start < clock_timestamp() - make_interval(secs => {float(older)})")


def holders(machine: Machine) -> list[dict[str, Any]]:
    """Return the sessions of others that may hold a lock: in a transaction, or an advisory one outside of it."""
    advisory = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"
    return _sessions(machine, f"(xact_start IS NOT NULL OR {advisory})")


def words(found: Sequence[dict[str, Any]]) -> str:
    """Return sessions in words: process, application, role, since when."""
    said = []
    for one in found[:3]:
        application = "".join(c for c in str(one["application"]) if c.isprintable())[:60]
        said.append(f"pid {one['pid']} ({application or 'no name'}) of {one['role']} since {str(one['since'])[:19]}")
    return "; ".join(said) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def held_by(machine: Machine) -> str:
    """Return who may hold a lock, in words."""
    known = words(holders(machine))
    return f"it may be held by {known}" if known else "nobody may hold it any more"


def invalid_indexes(machine: Machine) -> list[str]:
    """Return the indexes that are not valid: what a CREATE INDEX CONCURRENTLY that was cut leaves."""
    sql = """
        SELECT coalesce(json_agg(format('%I.%I', n.nspname, c.relname) ORDER BY n.nspname, c.relname), '[]')
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND c.relkind = 'i'
    """
    names: list[str] = json.loads(psql(machine, sql, database=NAME) or "[]")
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


def _sessions(machine: Machine, condition: str) -> list[dict[str, Any]]:
    sql = f"""
        SELECT coalesce(json_agg(t ORDER BY t.since), '[]') FROM (
            SELECT pid, application_name AS application, usename AS role, coalesce(xact_start, state_change) AS since
            FROM pg_stat_activity WHERE datname = '{NAME}' AND backend_type = 'client backend'
            AND pid <> pg_backend_pid() AND {condition}) AS t
    """  # noqa: S608
    found: list[dict[str, Any]] = json.loads(psql(machine, sql) or "[]")
    return found
