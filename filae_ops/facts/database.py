"""PostgreSQL as it runs: asked by its own administrator, over its local socket."""

from __future__ import annotations

import json
from typing import Any

from filae_ops.facts.gathering import Expected, Unmeasured, command, part

CONNECTION = "dbname=postgres options='-c search_path=pg_catalog,pg_temp -c statement_timeout=5s -c lock_timeout=3s'"
# A role's settings: those in the application's database come last, since they win.
QUERY = """SELECT json_build_object(
 'settings', (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN ('listen_addresses',
   'server_version', 'port', 'fsync', 'full_page_writes', 'password_encryption', 'data_checksums')),
 'pending_restart', (SELECT coalesce(json_agg(name), '[]') FROM pg_settings WHERE pending_restart),
 'roles', (SELECT json_object_agg(rolname, json_build_object('super', rolsuper, 'login', rolcanlogin,
   'create', rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, 'password', rolpassword IS NOT NULL,
   'settings', (SELECT coalesce(json_agg(setting ORDER BY setdatabase <> 0), '[]')
     FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) AS setting
     WHERE s.setrole = a.oid AND (setdatabase = 0 OR setdatabase = (SELECT oid FROM pg_database
                                                                     WHERE datname = 'filae')))))
   FROM pg_authid a WHERE rolname !~ '^pg_'),
 'hba', (SELECT json_agg(json_build_object('type', type, 'database', database, 'user', user_name, 'method', auth_method,
   'error', error) ORDER BY rule_number) FROM pg_hba_file_rules),
 'databases', (SELECT json_agg(datname) FROM pg_database WHERE NOT datistemplate))"""


@part
def database(_: Expected) -> dict[str, Any]:
    """Return the settings, roles and access rules of the running server."""
    argv = ("runuser", "-u", "postgres", "--", "psql", "-X", "-A", "-t", "-q", "-d", CONNECTION, "-f", "-")
    text = command(*argv, text=f"{QUERY};\n")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise Unmeasured("psql did not answer with an object")
    return found
