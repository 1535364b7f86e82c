# Ensures PostgreSQL's roles as they are declared; prints `changed: …` for each change. Runs as root, after the text of
# declared_roles.py, whose names it uses.
# ruff: noqa: F821
import os
import subprocess
import sys

APPLY = sys.argv[1] == "apply"
UNIT = "postgresql@17-main.service"


def psql(statement, database="postgres"):
    argv = ["runuser", "-u", "postgres", "--", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d"]
    argv += [connection(database, "lc_messages=C"), "-c", statement]
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        sys.exit(
            "PostgreSQL refuses: %s\n  who acts: provider\n"
            "  next: if the application holds it up: %s, then provision again"
            % (ascii(done.stderr.strip()[-400:]), STOP)
        )
    return done.stdout.strip()


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
if psql("SHOW data_checksums") == "off" and psql("SELECT count(*) FROM pg_database WHERE NOT datistemplate") == "1":
    # Only while the cluster is empty: enabling them rewrites every page, with the server stopped.
    print("changed: data checksums enabled")
    if APPLY:
        enable_checksums()
known = json.loads(psql(LOOK))
found = deviations(known)
for each in found:
    print("changed: %s: %s" % (each.what, "; ".join(each.statements)))
if found and APPLY:
    psql(script(found))
    print("Connections that are open keep what they had: a deployment, or systemctl restart 'filae-*', makes new ones.")
# One that lets nobody in was opened just now, or would be.
open_now = DATABASE in known["databases"] and (APPLY or known["databases"][DATABASE]["open"])
excess = json.loads(psql(EXCESS, DATABASE)) if open_now else []
for what in excess:
    print("changed: the application may write in %s: %s" % (what, revoke([what])))
if excess and APPLY:
    psql(revoke(excess), DATABASE)
