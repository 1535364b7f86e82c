"""From a bare machine to a running, verified Filaé."""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from sites import Site
from waiting import until

from filae_ops.facts.decisive import SECRET_IN
from filae_ops.verification.placed_by_roles import Placement, placed_by_roles

TASKS = 45
History = dict[str, subprocess.CompletedProcess[str]]
CONTRACT = {"ok", "changed", "tasks", "failed", "unreachable", "seconds"}


def totals(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    document = json.loads(done.stdout)
    assert set(document) == CONTRACT
    return document


def test_check_on_a_bare_machine_tells_what_would_change_and_changes_nothing(history: History) -> None:
    check = history["check"]
    assert check.returncode == 0, check.stderr
    assert totals(check)["changed"] > 0
    assert "ListenAddress" not in check.stdout
    assert "/etc/ssh/sshd_config.d/00-filae.conf" in check.stderr


def test_first_provisioning_changes_and_succeeds(history: History) -> None:
    first = totals(history["first"])
    assert first["ok"] is True
    assert first["changed"] > 10


def test_second_provisioning_changes_nothing_in_few_tasks(history: History) -> None:
    second = totals(history["second"])
    assert (second["ok"], second["changed"]) == (True, 0)
    assert second["tasks"] < TASKS


def test_what_packages_would_have_started_runs_and_nothing_holds_others_back(history: History) -> None:
    """Before the machine has booted once: a boot would start whatever is enabled."""
    assert history["started"].stdout.split() == ["active"] * 5 + ["on"], history["started"].stdout


def test_provisioning_after_a_deployment_changes_nothing(deployed: Site) -> None:
    again = deployed.ops("provision", "--json")
    assert again.returncode == 0, again.stderr
    assert totals(again)["changed"] == 0


STATES = """
import glob, grp, hashlib, json, os, pwd, stat, sys
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
found = {}
for path in (path for given in json.loads(sys.argv[1]) for path in glob.glob(given)):
    state = os.lstat(path)
    kind = KINDS[stat.S_IFMT(state.st_mode)]
    found[path] = {
        "kind": kind, "user": pwd.getpwuid(state.st_uid).pw_name, "group": grp.getgrgid(state.st_gid).gr_name,
        "mode": "%04o" % stat.S_IMODE(state.st_mode), "target": os.readlink(path) if kind == "link" else None,
        "sha256": hashlib.sha256(open(path, "rb").read()).hexdigest() if kind == "file" else None,
    }
print(json.dumps(found))
"""


def assert_there(site: Site, expected: dict[str, Placement], *beside: str) -> None:
    """Compare what is expected with the machine: bytes, owner, mode, target; `beside`: patterns of nothing more."""
    given = json.dumps([*expected, *beside])
    found = json.loads(site.run("python3", "-c", STATES, given).stdout)
    known: dict[str, Placement] = {}
    for path, placement in expected.items():
        there = fnmatch.filter(found, path)
        assert there or placement.optional, path
        known |= dict.fromkeys(there, placement)
    assert found.keys() == known.keys()
    for path, placement in known.items():
        if path in SECRET_IN:  # made once on the machine: verify compares the text around it
            known[path] = replace(placement, sha256=None)
        if known[path].sha256 is None:
            found[path]["sha256"] = None
    assert {path: Placement(**state, role="") for path, state in found.items()} == {
        path: replace(placement, role="", optional=False) for path, placement in known.items()
    }


def placed_by_agent(site: Site) -> dict[str, Placement]:
    """Return what the agent says of itself, its releases being as they were deployed."""
    document = json.loads(site.run("filaectl", "_placed").stdout)
    assert (document["busy"], document["problem"]) == ("", "")
    for release in document["releases"]:
        assert release["complete"], release
        assert [release[kind]["count"] for kind in ("changed", "missing", "added")] == [0, 0, 0], release
    return {row.pop("path"): Placement(**row, role="") for row in document["placed"]}


OURS = (
    "/etc/filae/*", "/etc/filae/*/*", "/etc/nginx/filae/*", "/etc/systemd/system/filae*", "/opt/filae/*",
    "/etc/systemd/system/filae*/*", "/etc/systemd/system/*.wants/filae*", "/var/lib/filae-ops/*",
    "/var/lib/filae-ops/*/*", "/etc/sudoers.d/filae*", "/var/www/filae/*", "/var/www/filae/*/*",
)  # fmt: skip


def test_what_roles_and_agent_say_that_they_placed_is_there_and_of_ours_nothing_more(deployed: Site) -> None:
    """What verify compares a machine with: rendered from the inventory, and computed again by the agent."""
    (by_roles,) = placed_by_roles(deployed.inventory).values()
    assert len(by_roles) > 60
    assert_there(deployed, {**by_roles, **placed_by_agent(deployed)}, *OURS)


def test_plain_ansible_playbook_agrees(deployed: Site) -> None:
    """Those who run Ansible directly get the same machine, by directory or by hosts.yml."""
    root = Path(__file__).parents[2]
    for inventory in (deployed.inventory, deployed.inventory.parent):
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, "playbooks/provision.yml"],
            cwd=root, env={**os.environ, "ANSIBLE_CONFIG": "ansible.cfg"}, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        assert "changed=0 " in done.stdout


def test_the_release_serves_through_the_front_door(deployed: Site) -> None:
    status = json.loads(deployed.ops("status", "--json").stdout)
    assert status["version"] == "2.0.0"
    assert status["healthy"] is True
    assert status["last_transaction"]["outcome"] == "committed"


def test_root_cannot_log_in_any_more(deployed: Site) -> None:
    from filae_ops.lab import lifecycle

    argv = lifecycle.ssh_argv(deployed.machine, ["true"], user="root")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert done.returncode == 255
    assert "Permission denied" in done.stderr


def test_the_dsi_may_ask_and_record_and_nothing_else(deployed: Site) -> None:
    from filae_ops.lab import lifecycle
    from filae_ops.lab.machine_inventory import DSI_ACCOUNT, dsi_key

    def as_dsi(command: str) -> subprocess.CompletedProcess[str]:
        argv = lifecycle.ssh_argv(deployed.machine, [command], user=DSI_ACCOUNT)
        argv[argv.index("-i") + 1] = str(dsi_key(deployed.machine.lab))
        return subprocess.run(argv, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)

    assert json.loads(as_dsi("sudo -n filaectl status --json").stdout)["version"] == "2.0.0"
    assert as_dsi("sudo -n filaectl receipt --kind backup").returncode == 0
    for refused in ("sudo -n filaectl recover", "sudo -n true", "sudo -n cat /etc/filae/tls/key.pem"):
        done = as_dsi(refused)
        assert done.returncode != 0, refused
        assert "password is required" in done.stderr or "mot de passe" in done.stderr


PSQL = "psql -XAtq -d filae"
BY_HAND = rf"""
sed -i 's/^\[Service\]/&\nNice=7/' /etc/systemd/system/filae-web@.service
echo 'max_connections = 77' >>/etc/postgresql/17/main/conf.d/filae.conf
runuser -u filae -- {PSQL} -c 'ALTER ROLE filae SET search_path=nowhere'
runuser -u postgres -- {PSQL} -c 'GRANT postgres TO filae' -c 'GRANT INSERT ON public.schema_migrations TO filae'
systemctl daemon-reload
systemctl restart postgresql@17-main 'filae-web@*.service'
"""
IN_FORCE = f"""
unit=$(systemctl list-units --plain --no-legend --state=active 'filae-web@*.service' | cut -d' ' -f1)
echo $(ps -o ni= -p $(systemctl show --value --property=MainPID $unit))
runuser -u postgres -- psql -Atc 'SHOW max_connections'
runuser -u filae -- {PSQL} -c 'SHOW search_path'
runuser -u filae -- {PSQL} -c "SELECT pg_has_role('postgres', 'member'),
  has_table_privilege('public.schema_migrations', 'INSERT')"
"""
# What the application, and a migration, may do to the roles and to their database.
OWN = [
    ("filae_migrate", "GRANT INSERT ON public.schema_migrations TO filae"),
    ("filae", "ALTER ROLE filae SET search_path=nowhere"),
    ("filae", "ALTER ROLE filae SET default_transaction_read_only=on"),
    ("filae_migrate", "ALTER DATABASE filae SET role='filae'"),
    ("filae_migrate", "ALTER DATABASE filae SET default_transaction_read_only=on"),
]


def test_what_somebody_changed_by_hand_is_put_back_and_in_force(copy: Site) -> None:
    """What a role places is read by what runs: a unit by its process, a setting by PostgreSQL."""

    def in_force() -> str:
        return copy.run(IN_FORCE).stdout

    until(lambda: in_force() == '0\n100\n"$user", public\nf|f\n', told=in_force)
    assert copy.run(BY_HAND).returncode == 0
    until(lambda: in_force() == "7\n77\nnowhere\nt|t\n", told=in_force)
    done = copy.ops("provision")
    assert done.returncode == 0, done.stderr
    until(lambda: in_force() == '0\n100\n"$user", public\nf|f\n', told=in_force)
    assert json.loads(copy.ops("status", "--json").stdout)["healthy"] is True


def test_the_first_waits_for_apt_s_daily_job(history: History) -> None:
    assert history["waited"].stdout == "asked"


def test_an_update_shows_the_new_version_and_the_next_provisioning_changes_nothing(
    copy: Site, bundles: dict[str, Path]
) -> None:
    """Whatever the release before set of its own: it does not say whether it is replaced, nor by which schema."""
    assert copy.ops("provision").returncode == 0, "a copy has another address: its certificate follows"
    for role, statement in OWN:
        assert copy.run(f'runuser -u {role} -- {PSQL} -c "{statement}"').returncode == 0, statement
    done = copy.ops("deploy", str(bundles["2.1.0"]))
    assert done.returncode == 0, done.stderr
    planted = copy.run(
        f"runuser -u filae -- {PSQL} -c \"INSERT INTO public.schema_migrations VALUES ('20991231000000')\""
    )
    assert "schema_migrations" in planted.stderr
    assert planted.returncode != 0
    status = json.loads(copy.ops("status", "--json").stdout)
    assert (status["version"], status["healthy"]) == ("2.1.0", True)
    assert totals(copy.ops("provision", "--json"))["changed"] == 0
    assert_there(copy, placed_by_agent(copy), "/etc/systemd/system/filae-*@[!.]*", "/etc/filae/colours/*")


def test_a_reboot_brings_everything_back(copy: Site) -> None:
    boot = "cat /proc/sys/kernel/random/boot_id"
    before = copy.run(boot).stdout

    def healthy() -> bool:
        done = copy.ops("status", "--json")
        return done.returncode == 0 and bool(json.loads(done.stdout)["healthy"])

    copy.run("systemctl reboot")
    until(lambda: copy.run(boot).stdout not in ("", before))
    until(healthy, told=lambda: copy.run("journalctl -b -n 40 --no-pager").stdout)
