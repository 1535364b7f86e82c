# Ensures PostgreSQL's two roles and their limits; prints `changed: …` for each change. Runs as root.
import json
import os
import subprocess
import sys

APPLY = sys.argv[1] == "apply"
# A request that waits must end before its user gives up; a migration waits briefly for its lock, then retries. It gives
# up well before the requests that queue behind it do.
ROLES = {
    "filae": {
        "statement_timeout": "15s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
    },
    "filae_migrate": {
        "statement_timeout": "1h",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "5min",
    },
}


UNIT = "postgresql@17-main.service"
CONNECTION = "dbname=postgres options='-c search_path=pg_catalog,pg_temp -c statement_timeout=60s -c lock_timeout=3s'"
# What a role has set for itself is text of the application's: it comes as JSON.
KNOWN = """
SELECT json_object_agg(rolname, (SELECT coalesce(json_agg(json_build_object('database', quote_ident(d.datname),
    'setting', item) ORDER BY d.datname, item), '[]')
  FROM pg_db_role_setting s CROSS JOIN unnest(setconfig) AS item LEFT JOIN pg_database d ON d.oid = s.setdatabase
  WHERE s.setrole = r.oid)) FROM pg_roles r
"""


def psql(statement):
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", CONNECTION]
    argv += ["-c", statement]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def enable_checksums():
    tool = "/usr/lib/postgresql/17/bin/pg_checksums"
    subprocess.run(["systemctl", "stop", UNIT], check=True)
    try:
        argv = ["runuser", "-u", "postgres", "--", tool, "--enable", "-D", "/var/lib/postgresql/17/main"]
        subprocess.run(argv, check=True, capture_output=True)
    finally:
        start()


def start():
    """Start PostgreSQL, or wait for the start that a handler asked for."""
    done = subprocess.run(["systemctl", "start", UNIT], capture_output=True, text=True)
    if done.returncode:
        sys.exit(
            "PostgreSQL does not start: %s\n  who acts: provider\n  next: on the machine: journalctl -n 50 -u %s"
            % (done.stderr.strip()[-400:], UNIT)
        )


if not os.path.exists("/run/postgresql/.s.PGSQL.5432"):
    print("changed: PostgreSQL started")
    if not APPLY:
        print("changed: roles %s would be looked at then" % " and ".join(ROLES))
        sys.exit()
if APPLY:
    start()
known = json.loads(psql(KNOWN))
if psql("SHOW data_checksums") == "off" and psql("SELECT count(*) FROM pg_database WHERE NOT datistemplate") == "1":
    # Only while the cluster is empty: enabling them rewrites every page, with the server stopped.
    print("changed: data checksums enabled")
    if APPLY:
        enable_checksums()
statements = []
for role, settings in ROLES.items():
    if role not in known:
        limits = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 60"
        statements.append("CREATE ROLE %s LOGIN %s" % (role, limits))
    own = [(entry["database"], *entry["setting"].split("=", 1)) for entry in known.get(role, [])]
    for name, value in settings.items():
        if (None, name, value) not in own:
            statements.append("ALTER ROLE %s SET %s = '%s'" % (role, name, value))
        # One for a single database would win.
        for database in [entry[0] for entry in own if entry[0] and entry[1] == name]:
            statements.append("ALTER ROLE %s IN DATABASE %s RESET %s" % (role, database, name))
for statement in statements:
    print("changed: " + statement)
if statements and APPLY:
    psql("; ".join(statements))
