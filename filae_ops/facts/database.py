"""PostgreSQL as it runs: asked by its own administrator, over its local socket, from its catalogues alone."""

from __future__ import annotations

import glob
import json
from typing import Any

from filae_ops.facts.gathering import Expected, Unmeasured, command, part, read

# Given at connection, these win over what the owner of a database set for its sessions.
OPTIONS = (
    "-c search_path=pg_catalog,pg_temp -c statement_timeout=5s -c lock_timeout=3s -c role=none "
    "-c transaction_timeout=0 -c idle_session_timeout=0 -c local_preload_libraries= -c client_encoding=UTF8 "
    "-c standard_conforming_strings=on"
)
SERVER = """SELECT json_build_object(
 'settings', (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN ('listen_addresses',
   'server_version', 'port', 'fsync', 'full_page_writes', 'password_encryption', 'data_checksums')),
 'pending_restart', (SELECT coalesce(json_agg(name), '[]') FROM pg_settings WHERE pending_restart),
 'files', (SELECT coalesce(json_agg(json_build_object('file', sourcefile, 'line', sourceline, 'name', name,
   'value', setting, 'error', error) ORDER BY seqno), '[]') FROM pg_file_settings),
 'in_force', (SELECT json_object_agg(name, json_build_object('value', current_setting(name), 'source', source))
   FROM pg_settings WHERE source NOT IN ('default', 'override', 'client', 'session')),
 'hba', (SELECT coalesce(json_agg(json_build_object('type', type, 'database', database, 'user', user_name,
   'address', address, 'netmask', netmask, 'method', auth_method, 'options', options, 'error', error,
   'file', file_name) ORDER BY rule_number), '[]') FROM pg_hba_file_rules),
 'ident', (SELECT coalesce(json_agg(concat_ws(' ', map_name, sys_name, pg_username, error)), '[]')
   FROM pg_ident_file_mappings))"""
# Asked of the application's own database. No row of its tables is read.
INSIDE = """SELECT json_build_object(
 'event_triggers', (SELECT coalesce(json_agg(evtname ORDER BY evtname), '[]') FROM pg_event_trigger),
 'extensions', (SELECT coalesce(json_agg(extname ORDER BY extname), '[]') FROM pg_extension),
 'schema_tables', (SELECT coalesce(json_agg(json_build_object('name', c.relname, 'kind', c.relkind, 'owner', o.rolname)
   ORDER BY c.relname), '[]')
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
   WHERE n.nspname = 'public' AND c.relname IN ('schema_migrations', 'ar_internal_metadata')),
 'others', (SELECT coalesce(json_agg(what), '[]') FROM (
   SELECT concat('relation ', n.nspname, '.', c.relname, ' of ', o.rolname)
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
     WHERE o.rolname <> 'filae_migrate' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (
       SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
   UNION ALL
   SELECT concat('function ', n.nspname, '.', p.proname, ' of ', o.rolname)
     FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
     WHERE (o.rolname <> 'filae_migrate' OR n.nspname ~ '^pg_') AND p.oid >= 16384 AND NOT EXISTS (
       SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
   UNION ALL
   SELECT concat('slot ', slot_name) FROM pg_replication_slots
   UNION ALL
   SELECT concat('publication ', pubname) FROM pg_publication
   UNION ALL
   SELECT concat('subscription ', subname) FROM pg_subscription
   UNION ALL
   SELECT concat('foreign server ', srvname) FROM pg_foreign_server
   LIMIT 20) AS x (what)))"""
RELEASES = "/opt/filae/releases/*/MANIFEST.json"


@part
def database(expected: Expected) -> dict[str, Any]:
    """Return the settings, roles and access rules of the running server, and what its database holds besides rows.

    `connections_held`, alone: the application holds all of its connections, and nobody else is let in.
    """
    asked = expected["database"]
    try:
        known = _ask("postgres", asked["look"])
    except Unmeasured as error:
        if any(text in str(error) for text in asked["no_connection_left"]):
            return {"connections_held": True}
        raise
    inside: dict[str, Any] = {}
    if known["databases"].get(asked["name"], {}).get("open"):
        inside = _ask(asked["name"], f"SELECT jsonb_set(({INSIDE})::jsonb, '{{excess}}', ({asked['excess']})::jsonb)")
    return {**_ask("postgres", SERVER), "known": known, "inside": inside, "contract_extensions": _extensions()}


def _ask(name: str, query: str) -> dict[str, Any]:
    connection = f"dbname={name} options='{OPTIONS}'"
    argv = ("runuser", "-u", "postgres", "--", "psql", "-X", "-A", "-t", "-q", "-d", connection, "-f", "-")
    found = json.loads(command(*argv, text=f"{query};\n"))
    if not isinstance(found, dict):
        raise Unmeasured("psql did not answer with an object")
    return found


def _extensions() -> list[str]:
    """Return the extensions that the contracts of the releases on the machine state; their trees are root's."""
    found: set[str] = set()
    for path in glob.glob(RELEASES):  # noqa: PTH207
        stated = json.loads(read(path))["contract"].get("database") or {}
        found |= set(stated.get("extensions") or [])
    return sorted(found)
