"""The checks of PostgreSQL on invented facts: each sabotage is named, with who acts and what ends it."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from material.postgresql_roles import known

from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.document.check_words import wording
from filae_ops.verification.check import Broken, Facts, NotRun, Target

FILE = Path(__file__).parents[2] / "host/test_database.py"
MEND = "provider: filae-ops provision puts it right"
EVENT = {"event_triggers": ["t\x1b"], "extensions": ["plpgsql", "dblink"], "others": ["function public.f of postgres"]}
HBA = {"type": "local", "database": ["all"], "user": ["all"], "method": "trust", "options": None, "error": None,
       "address": None, "netmask": None, "file": "/etc/postgresql/17/main/pg_hba.conf"}  # fmt: skip
AUTO = {"file": "/var/lib/postgresql/17/main/postgresql.auto.conf", "line": 3, "name": "log_statement",
        "value": "all", "error": None}  # fmt: skip
ROLE = {"mallory": {"LOGIN": True}}
DATABASE: list[tuple[str, dict[str, Any], str, str]] = [
    ("db-timeouts", {}, "", ""),
    ("db-timeouts", {"known": known(settings=[("filae", None, ["search_path=nowhere"])])},
     'filae: + "search_path=nowhere"', MEND),
    ("db-timeouts", {"known": known(settings=[("filae", "filae", ["default_transaction_read_only=on"])])},
     'filae IN DATABASE "filae": + "default_transaction_read_only=on"', MEND),
    ("db-timeouts", {"known": known(settings=[(None, "filae", ["role=filae"])])},
     'ALL IN DATABASE "filae": + "role=filae"', MEND),
    ("db-timeouts", {"known": known(settings=[("filae", None, ["statement_timeout=0"])])}, "statement_timeout=0", MEND),
    ("db-timeouts", {"known": known(settings=[("icinga", None, ["work_mem=1GB"])])},
     '"icinga": "work_mem=1GB"',
     'as postgres: ALTER ROLE "icinga" RESET ALL'),
    ("db-roles", {}, "", ""),
    ("db-roles", {"known": known(roles=ROLE, memberships=[("pg_read_server_files", "mallory", "postgres")])},
     'ROLE "mallory", GRANT "pg_read_server_files" TO "mallory"',
     'as postgres: DROP ROLE "mallory"'),
    ("db-roles", {"known": known(memberships=[("postgres", "filae", "postgres")])},
     'GRANT "postgres" TO "filae"', MEND),
    ("db-roles", {"known": known(roles={"filae": {"SUPERUSER": True, "password": True}})},
     "filae: SUPERUSER, filae: PASSWORD", MEND),
    ("db-roles", {"known": known(database={"owner": "filae"})}, 'filae: OWNER "filae"', MEND),
    ("db-roles", {"known": known(roles={"postgres": {"password": True}})}, "postgres: PASSWORD",
     "ALTER ROLE postgres PASSWORD NULL"),
    ("db-access", {}, "", ""),
    ("db-access", {"hba+": [HBA]}, "+ local all all trust", MEND),
    ("db-access", {"hba": []}, "- local filae filae peer", MEND),
    ("db-access", {"hba+": [{**HBA, "error": "bad\x1b[2J"}]}, "error: bad", MEND),
    ("db-access", {"ident": ["m root postgres"]}, "m root postgres", "remove these lines from /etc/postgresql"),
    ("db-settings", {}, "", ""),
    ("db-settings", {"files+": [AUTO]}, '"log_statement" = "all" (/var/lib/postgresql/17/main/postgresql.auto.conf:3)',
     "as postgres: ALTER SYSTEM RESET for what postgresql.auto.conf sets"),
    ("db-settings", {"files+": [{**AUTO, "file": "/etc/postgresql/17/main/conf.d/zz.conf"}]}, "conf.d/zz.conf:3",
     "remove other files"),
    ("db-settings", {"files+": [{**AUTO, "file": "/etc/postgresql/17/main/postgresql.conf"}]}, "main/postgresql.conf:3",
     "put Debian's lines back"),
    ("db-settings", {"files": []}, "- listen_addresses (/etc/postgresql/17/main/conf.d/filae.conf)", MEND),
    ("db-settings", {"in_force": {"fsync": {"value": "off", "source": "command line"}}},
     '"fsync" = "off" (command line)', "pg_ctl.conf"),
    ("db-settings", {"in_force": {"log_statement": {"value": "all", "source": "configuration file"}}},
     '"log_statement" = "all"', "systemctl reload"),
    ("db-contents", {}, "", ""),
    ("db-contents", {"known": known(databases={"loot": {}})}, '"loot"', 'once they are dumped: DROP DATABASE "loot"'),
    ("db-contents", {"inside": EVENT}, r"t\u001b", "in the database filae: DROP EVENT TRIGGER"),
    ("db-contents", {"inside": {**EVENT, "event_triggers": []}}, '"dblink"', 'DROP EXTENSION "dblink"'),
    ("db-contents", {"inside": {**EVENT, "event_triggers": []}, "contract_extensions": ["dblink"]},
     "function public.f of postgres", "in the database filae: DROP each"),
    ("db-schema", {}, "", ""),
    ("db-schema", {"inside": {"excess": ["TABLE public.schema_migrations"]}},
     "TABLE public.schema_migrations", MEND),
    ("db-schema", {"inside": {"schema_tables": [{"name": "schema_migrations", "kind": "v", "owner": "filae"}]}},
     'public.schema_migrations (relkind v, OWNER "filae")', "correct the application's migration"),
]  # fmt: skip


def postgresql(changes: dict[str, Any]) -> Facts:
    """Return what PostgreSQL says as provisioned, with changes: `name+` adds to what is there."""
    place = "/etc/postgresql/17/main"
    hba, settings = (
        data_path("roles", "database", "templates", f"{name}.conf.j2").read_text() for name in ("pg_hba", "filae")
    )
    lines = [line.split() for line in hba.splitlines() if line.startswith("local")]
    pairs = re.findall(r"^(\w+) = (.*)$", re.sub(r"{{.*}}", "512", settings), re.M)
    value: dict[str, Any] = {
        "known": known(), "ident": [], "in_force": {}, "inside": {}, "contract_extensions": [],
        "hba": [{**HBA, "database": [line[1]], "user": [line[2]], "method": line[3]} for line in lines],
        "files": [{**AUTO, "file": f"{place}/conf.d/filae.conf", "name": name, "value": text.strip("'")}
                  for name, text in pairs],
    }  # fmt: skip
    for name, change in changes.items():
        value[name.rstrip("+")] = [*value[name[:-1]], *change] if name.endswith("+") else change
    return Facts({"database": {"value": value}})


@pytest.fixture(scope="module")
def checks(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Return the functions that judge, by the check's name."""
    pytestconfig.addinivalue_line("markers", "check: as tests/host/pytest.ini has it")
    spec = importlib.util.spec_from_file_location("database_checks", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    marked = [each for each in vars(module).values() if hasattr(each, "pytestmark")]
    return {each.pytestmark[0].kwargs["id"]: each for each in marked}


@pytest.mark.parametrize(("check", "changes", "message", "step"), DATABASE)
def test_what_nobody_declared_is_named_with_what_ends_it(
    checks: dict[str, Any], check: str, changes: dict[str, Any], message: str, step: str
) -> None:
    on = Target(inventory=Any, declared=Any, facts=postgresql(changes), outside={}, placed={})  # type: ignore[arg-type]
    if not message:
        checks[check](on)
        return
    with pytest.raises(Broken) as caught:
        checks[check](on)
    said = wording(check, caught.value.code, caught.value.values, "en")
    assert message in said.message
    assert step in said.next
    assert said.owner == "provider"
    assert "\x1b" not in said.message + said.next


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("check", sorted({row[0] for row in DATABASE}))
def test_connections_that_the_application_holds_leave_it_unmeasured_and_say_why(
    checks: dict[str, Any], check: str, lang: Lang
) -> None:
    facts = Facts({"database": {"value": {"connections_held": True}}})
    on = Target(inventory=Any, declared=Any, facts=facts, outside={}, placed={})  # type: ignore[arg-type]
    with pytest.raises(NotRun) as caught:
        checks[check](on)
    said = wording(check, caught.value.code, caught.value.values, lang)
    assert "PostgreSQL" in said.message
    assert ": filaectl maintenance on, systemctl stop 'filae-web@*'" in said.next
    assert said.next.endswith("filaectl maintenance off")
