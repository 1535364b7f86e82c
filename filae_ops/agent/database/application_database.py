"""The application's database: made once, and at each transaction its roles and rights as they are declared."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from filae_ops.agent.bundle import field_rules
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.bundle.contract_rules import REBUILD
from filae_ops.agent.database import declared_roles, schema_table
from filae_ops.agent.database.postgresql import AGAIN, NAME, ConnectionsHeld, exists, psql
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import APP_USER, MIGRATE_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

GRANTS = f"""
REVOKE ALL ON DATABASE {NAME} FROM PUBLIC, {APP_USER};
GRANT CONNECT, TEMPORARY ON DATABASE {NAME} TO {APP_USER};
REVOKE CREATE ON SCHEMA public FROM PUBLIC, {APP_USER};
GRANT USAGE ON SCHEMA public TO {APP_USER};
ALTER DEFAULT PRIVILEGES FOR ROLE {MIGRATE_USER} GRANT USAGE ON SCHEMAS TO {APP_USER};
ALTER DEFAULT PRIVILEGES FOR ROLE {MIGRATE_USER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_USER};
ALTER DEFAULT PRIVILEGES FOR ROLE {MIGRATE_USER} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {APP_USER};
"""


def ensure(machine: Machine, contract: Contract) -> dict[str, Any]:
    """Create the database, its extensions and its grants where they are missing; reset what roles set of their own."""
    wanted = contract.get("database")
    locale = _literal("locale", str(wanted.get("locale") or "C.UTF-8"), field_rules.locale)
    extensions = [_literal("extensions", str(name), field_rules.extension) for name in wanted.get("extensions") or []]
    reset = reset_roles(machine)
    made = not exists(machine)
    if made:
        options = f"OWNER {MIGRATE_USER} TEMPLATE template0 ENCODING 'UTF8' LOCALE '{locale}'"
        psql(machine, f"CREATE DATABASE {NAME} {options}")
    psql(machine, GRANTS, database=NAME)
    schema_table.protect(machine)
    for name in extensions:
        _install(machine, name)
    return {"created": made, **({"reset": reset} if reset else {})}


def reset_roles(machine: Machine) -> list[str]:
    """Bring the roles and the database back to what is declared; return what was different.

    Sessions that are open keep what they had; those of a release that starts are new.
    """
    found = declared_roles.deviations(json.loads(psql(machine, declared_roles.LOOK)))
    if any(each.missing for each in found):
        raise Refused(f"PostgreSQL lacks the roles {APP_USER} and {MIGRATE_USER}", next_step="filae-ops provision")
    if found:
        psql(machine, declared_roles.script(found))
    return [each.what for each in found]


def try_to_reset_roles(machine: Machine) -> None:
    """Reset them where PostgreSQL lets us: on the way back to a release, which may run without."""
    with contextlib.suppress(Failed, Refused, ValueError):
        reset_roles(machine)


@contextlib.contextmanager
def as_declared(machine: Machine) -> Iterator[None]:
    """Have a release start with roles as declared; name what the one that still runs changed, where it fails."""
    reset_roles(machine)
    try:
        yield
    except Failed as exc:
        if changed := _disturbance(machine):
            why = f"{exc}; the application that runs is in the way: {changed}"
            raise Failed(why, next_step=AGAIN, **exc.evidence) from exc
        raise


def _disturbance(machine: Machine) -> str:
    try:
        if reset := reset_roles(machine):
            return "; ".join(reset)
        sql = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{APP_USER}'"  # noqa: S608
        if int(psql(machine, sql) or 0) >= declared_roles.CONNECTIONS:
            return f"role {APP_USER} has all of its {declared_roles.CONNECTIONS} connections"
    except ConnectionsHeld as exc:
        return str(exc)
    except (Failed, Refused):
        pass
    return ""


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
