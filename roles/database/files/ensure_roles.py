# Ensures PostgreSQL's two roles and their limits; prints `changed: …` for each change. Runs as root.
import os
import subprocess
import sys

APPLY = sys.argv[1] == "apply"
# A request that waits must end before its user gives up; a migration waits briefly for its lock, then retries.
ROLES = {
    "filae": {
        "statement_timeout": "15s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "60s",
    },
    "filae_migrate": {
        "statement_timeout": "1h",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "5min",
    },
}


def psql(statement):
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
    argv += ["-c", statement]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def enable_checksums():
    unit, tool = "postgresql@17-main.service", "/usr/lib/postgresql/17/bin/pg_checksums"
    subprocess.run(["systemctl", "stop", unit], check=True)
    try:
        argv = ["runuser", "-u", "postgres", "--", tool, "--enable", "-D", "/var/lib/postgresql/17/main"]
        subprocess.run(argv, check=True, capture_output=True)
    finally:
        subprocess.run(["systemctl", "start", unit], check=True)


def change(statement):
    print("changed: " + statement)
    if APPLY:
        psql(statement)


if not APPLY and not os.path.exists("/run/postgresql/.s.PGSQL.5432"):
    print("changed: PostgreSQL does not run yet; roles %s would be looked at" % " and ".join(ROLES))
    sys.exit()
if not os.path.exists("/run/postgresql/.s.PGSQL.5432"):
    print("changed: PostgreSQL started")
    subprocess.run(["systemctl", "start", "postgresql@17-main.service"], check=True)
known = dict(
    line.split("|", 1)
    for line in psql(
        "SELECT rolname, array_to_string(coalesce(s.setconfig, '{}'), ',') FROM pg_roles r"
        " LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0"
    ).splitlines()
)
if psql("SHOW data_checksums") == "off" and psql("SELECT count(*) FROM pg_database WHERE NOT datistemplate") == "1":
    # Only while the cluster is empty: enabling them rewrites every page, with the server stopped.
    print("changed: data checksums enabled")
    if APPLY:
        enable_checksums()
for role, settings in ROLES.items():
    if role not in known:
        change("CREATE ROLE %s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 60" % role)
    have = dict(item.split("=", 1) for item in known.get(role, "").split(",") if item)
    for name, value in settings.items():
        if have.get(name) != value:
            change("ALTER ROLE %s SET %s = '%s'" % (role, name, value))
