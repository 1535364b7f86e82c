"""PostgreSQL as it runs. The provider answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from filae_ops.agent.database import declared_roles
from filae_ops.agent.database.declared_roles import DATABASE, OWNER, ROLES, SETTINGS, shown
from filae_ops.console import plain
from filae_ops.paths import data_path
from filae_ops.verification.check import PROVISION, Target, broken, check

PLACE = "/etc/postgresql/17/main"
OURS = f"{PLACE}/conf.d/filae.conf"
LOAD = "systemctl reload postgresql@17-main (restart, where db-applied asks for it)"
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
MOST = 5


@dataclass(frozen=True)
class Cause:
    """What is not as declared, and what the provider does about it; provisioning cures one that names no step."""

    what: str
    step: str = ""


@check("db-local", "NET-09")
def test_no_network(on: Target) -> None:
    """The database has no network address."""
    listening = [each for each in on.facts["sockets"] if each["program"] == "postgres"]
    if listening:
        where = ", ".join(f"{each['address']}:{each['port']}" for each in listening)
        broken(f"PostgreSQL listens on {where}")
    addresses = on.facts["database"]["settings"]["listen_addresses"]
    if addresses:
        broken(f"listen_addresses is {addresses!r}, not empty")


@check("db-access", "NET-09")
def test_access_rules(on: Target) -> None:
    """Only local accounts that the kernel vouches for may connect."""
    found = on.facts["database"]
    rules, declared = [_rule(row) for row in found["hba"]], _declared_rules()
    causes = [Cause(f"pg_hba.conf has the line {rule!r} more") for rule in rules if rule not in declared]
    causes += [Cause(f"pg_hba.conf lacks the line {rule!r}") for rule in declared if rule not in rules]
    if rules != declared and not causes:
        causes = [Cause("pg_hba.conf has its lines twice or in another order")]
    for line in found["ident"]:
        causes.append(Cause(f"pg_ident.conf has {shown(line)}", f"take the line out of {PLACE}/pg_ident.conf"))
    _none(causes)


@check("db-timeouts", "OPS-04")
def test_settings_of_roles(on: Target) -> None:
    """The application's roles have bounded statements and locks, and no setting that nobody declared."""
    known = on.facts["database"]["known"]
    causes = [Cause(each.what) for each in declared_roles.of_settings(known)]
    for row in known["settings"]:
        if row["role"] not in SETTINGS:
            where = f" IN DATABASE {_name(row['database'])}" if row["database"] else ""
            what = f"role {shown(row['role'])} has settings that nobody declared: {_some(row['settings'])}"
            causes.append(Cause(what, f"as postgres: ALTER ROLE {_name(row['role'])}{where} RESET ALL"))
    _none(causes, "connections that are open keep what they had until the application starts again")


@check("db-roles", "OPS-07")
def test_roles(on: Target) -> None:
    """PostgreSQL has the declared roles with their attributes and no other; nobody is a member of anything."""
    known = on.facts["database"]["known"]
    strangers = sorted(set(known["roles"]) - {*ROLES, "postgres"})
    drop = {name: f"as postgres: DROP ROLE {_name(name)}" for name in strangers}
    causes = [Cause(f"there is a role {shown(name)}", step) for name, step in drop.items()]
    ours = (*declared_roles.of_roles(known), *declared_roles.of_memberships(known), *declared_roles.of_database(known))
    causes += [Cause(each.what) for each in ours]
    for row in known["memberships"]:
        if not {row["role"], row["member"]} & set(ROLES):
            what = f"role {shown(row['member'])} is a member of {shown(row['role'])}"
            revoke = f"as postgres: REVOKE {_name(row['role'])} FROM {_name(row['member'])} CASCADE"
            causes.append(Cause(what, drop.get(row["member"], revoke)))
    if known["roles"]["postgres"]["password"]:
        causes.append(Cause("the role postgres has a password", "as postgres: ALTER ROLE postgres PASSWORD NULL"))
    _none(causes)


@check("db-settings", "OPS-07")
def test_settings_of_the_server(on: Target) -> None:
    """The server's settings are those of our file and of Debian's."""
    found = on.facts["database"]
    causes = [*_odd_in_files(found["files"])]
    # What is written explains what is in force.
    _none(causes or [*_odd_in_force(found["in_force"])])


@check("db-contents", "OPS-07")
def test_what_the_databases_hold(on: Target) -> None:
    """PostgreSQL holds no database, extension, event trigger or other role's object that nobody declared."""
    found = on.facts["database"]
    causes = [
        Cause(f"there is a database {shown(name)}", f"dump it, then as postgres: DROP DATABASE {_name(name)}")
        for name in sorted(set(found["known"]["databases"]) - DATABASES)
    ]
    inside, as_postgres = found["inside"], f"as postgres in the database {DATABASE}:"
    for name in inside.get("event_triggers", []):
        what = f"the event trigger {shown(name)} runs code as whoever changes the schema"
        causes.append(Cause(what, f"{as_postgres} DROP EVENT TRIGGER {_name(name)}"))
    for name in sorted(set(inside.get("extensions", [])) - {"plpgsql", *found["contract_extensions"]}):
        what = f"no contract of a release here states the extension {shown(name)}"
        causes.append(Cause(what, f"state it in release.yml, or {as_postgres} DROP EXTENSION {_name(name)}"))
    for what in inside.get("others", []):
        causes.append(Cause(f"{plain(what)}, not {OWNER}", f"{as_postgres} DROP it, or ALTER … OWNER TO {OWNER}"))
    _none(causes)


@check("db-schema", "OPS-07")
def test_the_table_of_the_schema(on: Target) -> None:
    """The application may only read which schema its database has, and makes nothing in it."""
    inside = on.facts["database"]["inside"]
    causes = [Cause(f"role filae may write in {what}") for what in inside.get("excess", [])]
    for table in inside.get("schema_tables", []):
        if (table["kind"], table["owner"]) != ("r", OWNER):
            what = f"public.{table['name']} of {shown(table['owner'])} is no plain table of {OWNER}"
            causes.append(Cause(f"{what} (kind {table['kind']})", "have who makes the application put it right"))
    _none(causes)


@check("db-applied", "OPS-10")
def test_what_runs_is_what_is_configured(on: Target) -> None:
    """The running server has its present settings."""
    if waiting := on.facts["database"]["pending_restart"]:
        broken(
            f"settings that wait for a restart: {', '.join(waiting)}",
            "provider: restart PostgreSQL in the maintenance window",
        )
    settings = on.facts["database"]["settings"]
    if settings["fsync"] != "on" or settings["full_page_writes"] != "on":
        broken("PostgreSQL does not write safely: fsync or full_page_writes is off")


def _odd_in_files(rows: Iterable[Mapping[str, Any]]) -> Iterator[Cause]:
    """Give the settings that are written, and that neither our file nor Debian's explains."""
    missing = dict(_declared_settings())
    for row in rows:
        name, value, file, error = (str(row[key] or "") for key in ("name", "value", "file", "error"))
        what = f"{shown(name)} = {shown(value)} in {plain(file)}:{row['line']}"
        if file == OURS:
            if not _as_declared(missing.pop(name, None), value):
                yield Cause(f"{what} is not what provisioning writes")
        elif file == f"{PLACE}/postgresql.conf":
            if name not in DEBIAN or DEBIAN[name] not in (None, value):
                yield Cause(f"{what} is not Debian's", f"put the line back as Debian's, then {LOAD}")
        elif file.endswith("/postgresql.auto.conf"):
            yield Cause(f"{what}, by ALTER SYSTEM", f"as postgres: ALTER SYSTEM RESET {_name(name)}, then {LOAD}")
        else:
            yield Cause(f"{what}, a file that nobody declared", f"take that file away, then {LOAD}")
        if error and error != "setting could not be applied":
            yield Cause(f"{what}: {plain(error)}", f"correct it, then {LOAD}")
    if missing:
        yield Cause(f"{OURS} does not set {', '.join(missing)}")


def _odd_in_force(in_force: Mapping[str, Mapping[str, str]]) -> Iterator[Cause]:
    """Give what runs with another value than is written: it was loaded before, or given at the start."""
    declared = _declared_settings()
    known = {name.lower() for name in (*DEBIAN, *declared)}
    for name, row in in_force.items():
        what = f"{shown(name)} is {shown(row['value'])} in force"
        if row["source"] in ("command line", "environment variable"):
            yield Cause(f"{what}, by the {row['source']}", f"look at pg_ctl.conf and environment in {PLACE}")
        elif row["source"] == "configuration file" and name.lower() not in known:
            yield Cause(f"{what}, from a file that was loaded before", LOAD)
        elif name in declared and not _as_declared(declared[name], row["value"]):
            yield Cause(f"{what}, not {declared[name]}", LOAD)


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


def _some(texts: Iterable[str]) -> str:
    """Return texts as one, of which a few are enough."""
    known = [plain(text) for text in texts]
    return "; ".join(known[:MOST]) + (f"; and {len(known) - MOST} more" if len(known) > MOST else "")


def _none(causes: Sequence[Cause], remark: str = "") -> None:
    """Name what is not as declared, and what ends each."""
    if causes:
        steps = list(dict.fromkeys(cause.step for cause in causes if cause.step))
        first = "provider: ask who did it" if all(cause.step for cause in causes) else PROVISION
        following = [first, *steps[:MOST], remark]
        broken(_some(cause.what for cause in causes), "; ".join(filter(None, following)))


def _name(name: str) -> str:
    """Return a name as SQL takes it, that a terminal shows and does not obey."""
    return plain(declared_roles.quoted(name))
