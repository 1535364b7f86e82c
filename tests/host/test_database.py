"""PostgreSQL as it runs. The provider answers."""

from __future__ import annotations

import re

from filae_ops.verification.check import Target, broken, check

LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
ROLES = ("filae", "filae_migrate")
# PostgreSQL rounds less than half a millisecond (us, fractions) to 0, which is no bound.
BOUND = re.compile(r"0*[1-9][0-9]* *(ms|s|min|h|d)?")


@check("db-local", "NET-09")
def test_no_network(on: Target) -> None:
    """The database has no network address."""
    listening = [each for each in on.facts["sockets"] if each["program"] == "postgres"]
    if listening:
        broken("listens", sockets=[f"{each['address']}:{each['port']}" for each in listening])
    addresses = on.facts["database"]["settings"]["listen_addresses"]
    if addresses:
        broken("will_listen", addresses=addresses)


@check("db-access", "NET-09")
def test_access_rules(on: Target) -> None:
    """Only local accounts that the kernel vouches for may connect."""
    rules = on.facts["database"]["hba"] or []
    bad = [
        f"{rule['type']} {rule['user']} {rule['method']}"
        for rule in rules
        if rule["type"] != "local" or rule["method"] not in ("peer", "reject")
    ]
    if errors := [rule["error"] for rule in rules if rule["error"]]:
        broken("unreadable", errors=errors)
    if bad:
        broken("lets_in", rules=bad)
    if not rules:
        broken("no_rule")


@check("db-timeouts", "OPS-04")
def test_timeouts(on: Target) -> None:
    """The application's roles have bounded statements and locks."""
    for role in ROLES:
        settings = dict(item.split("=", 1) for item in on.facts["database"]["roles"].get(role, {}).get("settings", []))
        missing = [name for name in LIMITS if not BOUND.fullmatch(settings.get(name, ""))]
        if missing:
            broken("unbounded", role=role, settings=missing)


@check("db-roles", "OPS-07")
def test_roles(on: Target) -> None:
    """No role but postgres may do everything, and none has a password."""
    for name, role in on.facts["database"]["roles"].items():
        if name != "postgres" and (role["super"] or role["create"]):
            broken("powerful", role=name)
        if role["password"]:
            broken("password", role=name)


@check("db-applied", "OPS-10")
def test_what_runs_is_what_is_configured(on: Target) -> None:
    """The running server has its present settings."""
    if waiting := on.facts["database"]["pending_restart"]:
        broken("restart_due", settings=waiting)
    settings = on.facts["database"]["settings"]
    if settings["fsync"] != "on" or settings["full_page_writes"] != "on":
        broken("unsafe", settings=[name for name in ("fsync", "full_page_writes") if settings[name] != "on"])
