"""PostgreSQL's roles and the application's database as declared, and the statements that bring them back to it.

Sent to the machine by provisioning too, ahead of its own script: nothing of the package is imported here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATABASE, OWNER = "filae", "filae_migrate"
# A request that waits must end before its user gives up; a migration waits briefly for its lock, then retries. It gives
# up well before the requests that queue behind it do.
SETTINGS: Mapping[str | None, Mapping[str, str]] = {
    "filae": {"statement_timeout": "15s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"},
    "filae_migrate": {"statement_timeout": "1h", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "5min"},
    "postgres": {},
    None: {},  # what a database has for every role, and ALTER ROLE ALL
}
ROLES = ("filae", "filae_migrate")
ATTRIBUTES = {
    "LOGIN": True, "SUPERUSER": False, "CREATEDB": False, "CREATEROLE": False, "REPLICATION": False,
    "BYPASSRLS": False, "INHERIT": False,
}  # fmt: skip
CONNECTIONS = 60
# What PostgreSQL answers, in its server's language, where others hold all of its connections.
NO_CONNECTION_LEFT = (
    "too many clients", "trop de clients", "remaining connection slots", "emplacements de connexion",
)  # fmt: skip
# How many of a role's own settings are told.
MOST = 5
# The way out of what the application holds up while it runs.
STOP = "filaectl maintenance on, systemctl stop 'filae-web@*' 'filae-worker@*' 'filae-timer@*'"
# What may be set for a session by whoever owns its role or its database; given at connection, these values win: no
# function and no table of the application's stands for one of PostgreSQL's, and nothing ends the session or makes it
# another role's.
SESSION = (
    "search_path=pg_catalog,pg_temp", "statement_timeout=60s", "lock_timeout=3s", "client_encoding=UTF8", "role=none",
    "default_transaction_read_only=off", "default_transaction_isolation=read\\ committed", "transaction_timeout=0",
    "idle_session_timeout=0", "idle_in_transaction_session_timeout=0", "local_preload_libraries=",
    "restrict_nonsystem_relation_kind=", "standard_conforming_strings=on", "exit_on_error=off", "row_security=on",
)  # fmt: skip
# The text of roles and databases is other people's: it comes as JSON.
LOOK = """
SELECT json_build_object(
  'roles', (SELECT json_object_agg(rolname, json_build_object('LOGIN', rolcanlogin, 'SUPERUSER', rolsuper,
      'CREATEDB', rolcreatedb, 'CREATEROLE', rolcreaterole, 'REPLICATION', rolreplication, 'BYPASSRLS', rolbypassrls,
      'INHERIT', rolinherit, 'connections', rolconnlimit, 'password', rolpassword IS NOT NULL))
    FROM pg_authid WHERE rolname !~ '^pg_'),
  'settings', (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'database', d.datname,
      'settings', to_json(setconfig)) ORDER BY r.rolname, d.datname), '[]')
    FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase),
  'memberships', (SELECT coalesce(json_agg(json_build_object('role', r.rolname, 'member', m.rolname,
      'grantor', g.rolname) ORDER BY m.rolname, r.rolname), '[]')
    FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
    JOIN pg_roles g ON g.oid = a.grantor WHERE NOT (r.rolname ~ '^pg_' AND m.rolname ~ '^pg_')),
  'databases', (SELECT json_object_agg(datname, json_build_object('owner', o.rolname, 'connections', datconnlimit,
      'open', datallowconn, 'template', datistemplate))
    FROM pg_database LEFT JOIN pg_roles o ON o.oid = datdba))
"""
# A session that changed its role's settings and did not commit holds everybody else up. No work of the application's
# does so.
END_HOLDERS = f"""
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE usename IN {ROLES} AND pid IN (
  SELECT pid FROM pg_locks WHERE mode = 'RowExclusiveLock'
  AND relation IN ('pg_db_role_setting'::regclass, 'pg_authid'::regclass))
"""  # noqa: S608
LOCK = "LOCK TABLE pg_db_role_setting, pg_authid IN SHARE ROW EXCLUSIVE MODE"

# What the application may not do, and a default privilege or the database's owner lets it: write what says which schema
# there is (Rails keeps the second table beside the first), or make tables and functions. Asked of its own database.
SCHEMA_TABLES = ("schema_migrations", "ar_internal_metadata")
REVOKED = {
    "TABLE": "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN", "SCHEMA": "CREATE", "DATABASE": "CREATE"
}  # fmt: skip
EXCESS = f"""
SELECT coalesce(json_agg(what ORDER BY what), '[]') FROM (
  SELECT DISTINCT 'TABLE public.' || c.relname
    FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
    unnest(string_to_array('{REVOKED["TABLE"]}', ', ')) AS p
    WHERE r.rolname = 'filae' AND n.nspname = 'public' AND c.relname IN {SCHEMA_TABLES}
    AND (has_table_privilege(r.oid, c.oid, p)
      OR (p IN ('INSERT', 'UPDATE', 'REFERENCES') AND has_any_column_privilege(r.oid, c.oid, p)))
  UNION ALL SELECT 'SCHEMA public' FROM pg_roles r, pg_namespace n
    WHERE r.rolname = 'filae' AND n.nspname = 'public' AND has_schema_privilege(r.oid, n.oid, 'CREATE')
  UNION ALL SELECT 'DATABASE ' || datname FROM pg_roles r, pg_database d
    WHERE r.rolname = 'filae' AND datname = '{DATABASE}' AND has_database_privilege(r.oid, d.oid, 'CREATE')
) AS x (what)
"""  # noqa: S608


@dataclass(frozen=True)
class Deviation:
    """What differs from what is declared, in words, and the statements that end it; `missing`: a role is not there.

    `differs`: the same in PostgreSQL's own words, for readers of any language.
    """

    what: str
    differs: str
    statements: tuple[str, ...]
    missing: bool = False


def connection(database: str, *more: str) -> str:
    """Return the connection string of a session that owes nothing to what roles and databases have set."""
    options = " ".join(f"-c {item}" for item in (*SESSION, *more)).replace("\\", "\\\\")
    return f"dbname={database} options='{options}'"


def deviations(known: Mapping[str, Any]) -> list[Deviation]:
    """Return what differs in the roles and the database that are ours; what strangers have is not looked at."""
    return [*of_roles(known), *of_settings(known), *of_memberships(known), *of_database(known)]


def script(differing: Sequence[Deviation]) -> str:
    """Return the SQL that ends these deviations, all or none."""
    statements = [statement for each in differing for statement in each.statements]
    return ";\n".join([END_HOLDERS.strip(), "BEGIN", LOCK, *statements, "COMMIT;"])


def revoke(excess: Sequence[str]) -> str:
    """Return the SQL that takes the rights back that EXCESS told of."""
    return ";\n".join(f"REVOKE {REVOKED[what.split()[0]]} ON {what} FROM PUBLIC, filae" for what in excess)


def of_roles(known: Mapping[str, Any]) -> list[Deviation]:
    """Return what differs in the attributes of our roles."""
    found, roles = [], known["roles"]
    for role in ROLES:
        if role not in roles:
            options = " ".join(_attribute(name, value) for name, value in ATTRIBUTES.items())
            create = f"CREATE ROLE {role} {options} CONNECTION LIMIT {CONNECTIONS}"
            found.append(Deviation(f"there is no role {role}", f"- ROLE {role}", (create,), missing=True))
            continue
        has = roles[role]
        for name, value in ATTRIBUTES.items():
            if has[name] is not value:
                is_now = _attribute(name, has[name])
                statement = _alter(role, _attribute(name, value))
                found.append(Deviation(f"role {role} is {is_now}", f"{role}: {is_now}", (statement,)))
        if has["connections"] != CONNECTIONS:
            what = f"role {role} has a limit of {has['connections']} connections, not {CONNECTIONS}"
            differs = f"{role}: CONNECTION LIMIT {has['connections']}"
            found.append(Deviation(what, differs, (_alter(role, f"CONNECTION LIMIT {CONNECTIONS}"),)))
        if has["password"]:
            found.append(
                Deviation(f"role {role} has a password", f"{role}: PASSWORD", (_alter(role, "PASSWORD NULL"),))
            )
    return found


def of_settings(known: Mapping[str, Any]) -> list[Deviation]:
    """Return what our roles, and databases for every role, have set or lack."""
    found = []
    places: dict[tuple[str | None, str | None], list[str]] = {(role, None): [] for role in SETTINGS}
    for entry in known["settings"]:
        if entry["role"] in SETTINGS:
            places[entry["role"], entry["database"]] = entry["settings"]
    for (role, database), has in places.items():
        declared = {} if database else SETTINGS[role]
        lines = [f"{name}={value}" for name, value in declared.items()]
        own, absent = [item for item in has if item not in lines], [item for item in lines if item not in has]
        if own or absent:
            whose = _alter_settings(role, database)
            setting = tuple(f"{whose} SET {name} = '{value}'" for name, value in declared.items())
            what = [*(f"has {shown(item)} of its own" for item in own[:MOST]), *(f"lacks {item}" for item in absent)]
            what += [f"and {len(own) - MOST} more"] if len(own) > MOST else []
            place = f"{role or 'ALL'}{f' IN DATABASE {shown(database)}' if database else ''}"
            few = [*(f"+ {shown(item)}" for item in own[:MOST]), *(f"- {item}" for item in absent)]
            differs = f"{place}: {' '.join(few)}"
            statements = (f"{whose} RESET ALL", *setting)
            found.append(Deviation(f"{_whose(role, database)} {', '.join(what)}", differs, statements))
    return found


def _alter_settings(role: str | None, database: str | None) -> str:
    if role is None and database:
        return f"ALTER DATABASE {quoted(database)}"
    return f"ALTER ROLE {role or 'ALL'}{f' IN DATABASE {quoted(database)}' if database else ''}"


def of_memberships(known: Mapping[str, Any]) -> list[Deviation]:
    """Return the memberships of our roles, and those in them."""
    return [
        Deviation(
            f"role {shown(row['member'])} is a member of {shown(row['role'])}",
            f"GRANT {shown(row['role'])} TO {shown(row['member'])}",
            (f"REVOKE {quoted(row['role'])} FROM {quoted(row['member'])} GRANTED BY {quoted(row['grantor'])} CASCADE",),
        )
        for row in known["memberships"]
        if {row["role"], row["member"]} & set(ROLES)
    ]


def of_database(known: Mapping[str, Any]) -> list[Deviation]:
    """Return what differs in whose the application's database is, and whom it lets in."""
    has = known["databases"].get(DATABASE)
    if has is None:
        return []
    found = []
    if has["owner"] != OWNER:
        what = f"database {DATABASE} belongs to {shown(has['owner'])}, not to {OWNER}"
        found.append(
            Deviation(
                what, f"{DATABASE}: OWNER {shown(has['owner'])}", (f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}",)
            )
        )
    if (has["connections"], has["open"], has["template"]) != (-1, True, False):
        what = f"database {DATABASE} does not let everybody in that it should (or is a template)"
        options = "CONNECTION LIMIT -1 ALLOW_CONNECTIONS true IS_TEMPLATE false"
        differs = (
            f"{DATABASE}: CONNECTION LIMIT {has['connections']} ALLOW_CONNECTIONS {str(has['open']).lower()} "
            f"IS_TEMPLATE {str(has['template']).lower()}"
        )
        found.append(Deviation(what, differs, (f"ALTER DATABASE {DATABASE} WITH {options}",)))
    return found


def _attribute(name: str, value: bool) -> str:
    return name if value else f"NO{name}"


def _alter(role: str, option: str) -> str:
    return f"ALTER ROLE {role} {option}"


def _whose(role: str | None, database: str | None) -> str:
    where = f" in the database {shown(database)}" if database else ""
    return f"role {role}{where}" if role else f"every role{where}"


def quoted(name: str) -> str:
    """Return a name of PostgreSQL's as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def shown(text: str) -> str:
    """Return other people's text, short and such that no terminal obeys it."""
    return json.dumps(text[:80])
