"""PostgreSQL as it runs. The provider answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from filae_ops.agent.database import declared_roles
from filae_ops.agent.database.declared_roles import DATABASE, OWNER, ROLES, SETTINGS, shown
from filae_ops.console import plain
from filae_ops.paths import data_path
from filae_ops.verification.check import Target, broken, check, not_run

PLACE = "/etc/postgresql/17/main"
OURS = f"{PLACE}/conf.d/filae.conf"
# What Debian's postgresql.conf sets where a cluster is made; None: by the machine's language and time zone.
DEBIAN: Mapping[str, str | None] = {
    "data_directory": "/var/lib/postgresql/17/main", "hba_file": f"{PLACE}/pg_hba.conf",
    "ident_file": f"{PLACE}/pg_ident.conf", "external_pid_file": "/var/run/postgresql/17-main.pid", "port": "5432",
    "max_connections": "100", "unix_socket_directories": "/var/run/postgresql", "ssl": "on",
    "ssl_cert_file": "/etc/ssl/certs/ssl-cert-snakeoil.pem", "ssl_key_file": "/etc/ssl/private/ssl-cert-snakeoil.key",
    "shared_buffers": "128MB", "dynamic_shared_memory_type": "posix", "max_wal_size": "1GB", "min_wal_size": "80MB",
    "log_line_prefix": "%m [%p] %q%u@%d ", "cluster_name": "17/main", "log_timezone": None, "timezone": None,
    "datestyle": None, "lc_messages": None, "lc_monetary": None, "lc_numeric": None, "lc_time": None,
    "default_text_search_config": None,
}  # fmt: skip
DATABASES = {"postgres", "template0", "template1", DATABASE}


@dataclass(frozen=True)
class Stranger:
    """What nobody declared, in PostgreSQL's own words, and the statement that ends it."""

    what: str
    statement: str


@check("db-local", "NET-09")
def test_no_network(on: Target) -> None:
    """The database has no network address."""
    listening = [each for each in on.facts["sockets"] if each["program"] == "postgres"]
    if listening:
        broken("listens", sockets=[f"{each['address']}:{each['port']}" for each in listening])
    if addresses := postgresql(on)["settings"]["listen_addresses"]:
        broken("will_listen", addresses=addresses)


@check("db-access", "NET-09")
def test_access_rules(on: Target) -> None:
    """Only local accounts that the kernel vouches for may connect."""
    found = postgresql(on)
    rules, declared = [_rule(row) for row in found["hba"]], _declared_rules()
    lines = [f"+ {rule}" for rule in rules if rule not in declared]
    lines += [f"- {rule}" for rule in declared if rule not in rules]
    if lines:
        broken("rules", lines=lines)
    if rules != declared:
        broken("order", lines=rules)
    if found["ident"]:
        broken("names", lines=[plain(line) for line in found["ident"]])


@check("db-timeouts", "OPS-04")
def test_settings_of_roles(on: Target) -> None:
    """The application's roles have bounded statements and locks, and no setting that nobody declared."""
    known = postgresql(on)["known"]
    if ours := declared_roles.of_settings(known):
        broken("ours", differences=[each.differs for each in ours])
    none_of([_settings(row) for row in known["settings"] if row["role"] not in SETTINGS])


@check("db-roles", "OPS-07")
def test_roles(on: Target) -> None:
    """PostgreSQL has the declared roles with their attributes and no other; nobody is a member of anything."""
    known = postgresql(on)["known"]
    if ours := [*declared_roles.of_roles(known), *declared_roles.of_memberships(known)]:
        broken("ours", differences=[each.differs for each in ours])
    if ours := declared_roles.of_database(known):
        broken("database", differences=[each.differs for each in ours])
    unknown = sorted(set(known["roles"]) - {*ROLES, "postgres"})
    found = [Stranger(f"ROLE {shown(name)}", f"DROP ROLE {_name(name)}") for name in unknown]
    found += [_membership(row, unknown) for row in known["memberships"]]
    if known["roles"]["postgres"]["password"]:
        found.append(Stranger("postgres: PASSWORD", "ALTER ROLE postgres PASSWORD NULL"))
    none_of(found)


@check("db-settings", "OPS-07")
def test_settings_of_the_server(on: Target) -> None:
    """The server's settings are those of our file and of Debian's."""
    found = postgresql(on)
    ours, others = _odd_in_files(found["files"])
    if ours:
        broken("ours", settings=ours)
    if others:
        broken("others", settings=others)
    # What is written explains what is in force.
    started, loaded = _odd_in_force(found["in_force"])
    if started:
        broken("started_with", settings=started)
    if loaded:
        broken("loaded_before", settings=loaded)


@check("db-contents", "OPS-07")
def test_what_the_databases_hold(on: Target) -> None:
    """PostgreSQL holds no database, extension, event trigger or other role's object that nobody declared."""
    found = postgresql(on)
    inside = found["inside"]
    if triggers := inside.get("event_triggers"):
        names = [shown(name) for name in triggers]
        broken("triggers", names=names, statements=[f"DROP EVENT TRIGGER {_name(name)}" for name in triggers])
    if databases := sorted(set(found["known"]["databases"]) - DATABASES):
        names = [shown(name) for name in databases]
        broken("databases", names=names, statements=[f"DROP DATABASE {_name(name)}" for name in databases])
    if extensions := sorted(set(inside.get("extensions", [])) - {"plpgsql", *found["contract_extensions"]}):
        names = [shown(name) for name in extensions]
        broken("extensions", names=names, statements=[f"DROP EXTENSION {_name(name)}" for name in extensions])
    if objects := inside.get("others"):
        broken("objects", names=[plain(what) for what in objects])


@check("db-schema", "OPS-07")
def test_the_table_of_the_schema(on: Target) -> None:
    """The application may only read which schema its database has, and makes nothing in it."""
    inside = postgresql(on)["inside"]
    if excess := inside.get("excess"):
        broken("writable", objects=excess)
    odd = [
        f"public.{table['name']} (relkind {table['kind']}, OWNER {shown(table['owner'])})"
        for table in inside.get("schema_tables", [])
        if (table["kind"], table["owner"]) != ("r", OWNER)
    ]
    if odd:
        broken("no_plain_table", tables=odd)


@check("db-applied", "OPS-10")
def test_what_runs_is_what_is_configured(on: Target) -> None:
    """The running server has its present settings."""
    if waiting := postgresql(on)["pending_restart"]:
        broken("restart_due", settings=waiting)
    settings = postgresql(on)["settings"]
    if unsafe := [name for name in ("fsync", "full_page_writes") if settings[name] != "on"]:
        broken("unsafe", settings=unsafe)


def postgresql(on: Target) -> Mapping[str, Any]:
    """Return what PostgreSQL answers; it answers nobody while the application holds all of its connections."""
    if "error" in on.facts.parts.get("database", {}):
        on.needs("postgresql")
    found: Mapping[str, Any] = on.facts["database"]
    if found.get("connections_held"):
        not_run("connections_held", commands=declared_roles.STOP)
    return found


def none_of(strangers: Sequence[Stranger]) -> None:
    """Name what nobody declared, with what ends each."""
    if strangers:
        statements = list(dict.fromkeys(each.statement for each in strangers))
        broken("strangers", names=[each.what for each in strangers], statements=statements)


def _settings(row: Mapping[str, Any]) -> Stranger:
    where = f" IN DATABASE {_name(row['database'])}" if row["database"] else ""
    what = f"{shown(row['role'])}: {' '.join(shown(item) for item in row['settings'])}"
    return Stranger(what, f"ALTER ROLE {_name(row['role'])}{where} RESET ALL")


def _membership(row: Mapping[str, Any], unknown: Sequence[str]) -> Stranger:
    """Return who is a member of what; a role that goes takes its memberships along."""
    statement = f"REVOKE {_name(row['role'])} FROM {_name(row['member'])} CASCADE"
    if row["member"] in unknown:
        statement = f"DROP ROLE {_name(row['member'])}"
    return Stranger(f"GRANT {shown(row['role'])} TO {shown(row['member'])}", statement)


def _odd_in_files(rows: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the settings of our file that are not as provisioned, and those that another file than Debian's makes."""
    missing, ours, others = dict(_declared_settings()), [], []
    for row in rows:
        name, value, file, error = (str(row[key] or "") for key in ("name", "value", "file", "error"))
        what = f"{shown(name)} = {shown(value)} ({plain(file)}:{row['line']})"
        if error and error != "setting could not be applied":
            what = f"{what}: {plain(error)}"
        if file == OURS:
            if not _as_declared(missing.pop(name, None), value):
                ours.append(what)
        elif file != f"{PLACE}/postgresql.conf" or name not in DEBIAN or DEBIAN[name] not in (None, value):
            others.append(what)
    return [*ours, *(f"- {name} ({OURS})" for name in missing)], others


def _odd_in_force(in_force: Mapping[str, Mapping[str, str]]) -> tuple[list[str], list[str]]:
    """Return what the server was started with, and what it loaded before its files were as they are."""
    declared = _declared_settings()
    known = {name.lower() for name in (*DEBIAN, *declared)}
    started, loaded = [], []
    for name, row in in_force.items():
        what = f"{shown(name)} = {shown(row['value'])}"
        if row["source"] in ("command line", "environment variable"):
            started.append(f"{what} ({row['source']})")
        elif (row["source"] == "configuration file" and name.lower() not in known) or (
            name in declared and not _as_declared(declared[name], row["value"])
        ):
            loaded.append(what)
    return started, loaded


@cache
def _declared_settings() -> dict[str, str]:
    """Return the settings of the role's own template; one that it computes stands as its template's text."""
    text = data_path("roles", "database", "templates", "filae.conf.j2").read_text(encoding="utf-8")
    pairs = re.findall(r"^(\w+) = (.*)$", text, re.M)
    return {name: value.strip("'") for name, value in pairs}


def _as_declared(declared: str | None, value: str) -> bool:
    if declared is None:
        return False
    # Shown in the largest unit that fits: 3072MB is 3GB.
    return bool(re.fullmatch(r"[0-9]+[MG]B", value)) if "{{" in declared else value == declared


@cache
def _declared_rules() -> list[str]:
    """Return the lines of the role's own template."""
    text = data_path("roles", "database", "templates", "pg_hba.conf.j2").read_text(encoding="utf-8")
    return [" ".join(line.split()) for line in text.splitlines() if line and not line.startswith("#")]


def _rule(row: Mapping[str, Any]) -> str:
    """Return a line of pg_hba.conf as PostgreSQL reads it."""
    names = (",".join(row[kind] or []) for kind in ("database", "user"))
    parts = [row["type"], *names, row["address"], row["netmask"], row["method"], *(row["options"] or [])]
    line = " ".join(str(part) for part in parts if part)
    where = "" if row["file"] == f"{PLACE}/pg_hba.conf" else f" ({row['file']})"
    return plain(f"error: {row['error']}" if row["error"] else line) + plain(where)


def _name(name: str) -> str:
    """Return a name as SQL takes it, that a terminal shows and does not obey."""
    return plain(declared_roles.quoted(name))
