"""Break a machine in every way that matters: exactly the right checks turn red, with the right owner."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sites import Site, run_ops, say

from filae_ops.lab import fleet, lifecycle, machine
from filae_ops.register.lookup import requirement
from filae_ops.verification.verify import Report, verify_inventory

OLD_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt"
SERVER = "/etc/nginx/filae/server.conf"
KEEP = f"cp -p {SERVER} /root/server.conf"
# A reload returns before the workers from before are gone.
LOAD = "systemctl restart nginx"
BACK = f"cp -p /root/server.conf {SERVER} && {LOAD}"
WEAK = (
    "sed -i -e 's/TLSv1.2 TLSv1.3/TLSv1 TLSv1.1 TLSv1.2 TLSv1.3/' "
    f"-e 's/^ssl_ciphers .*/ssl_ciphers ALL:@SECLEVEL=0;/' {SERVER}"
)
NAME = "$(openssl x509 -noout -ext subjectAltName -in /etc/filae/tls/fullchain.pem | grep -o 'DNS:[^, ]*')"
SWAP = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=swap "
    f"-addext subjectAltName={NAME} -keyout /root/swap.key -out /root/swap.pem 2>/dev/null && "
    "sed -i -e 's|ssl_certificate /etc.*|ssl_certificate /root/swap.pem;|' "
    f"-e 's|ssl_certificate_key .*|ssl_certificate_key /root/swap.key;|' {SERVER}"
)
# chronyd needs its four first answers, and asks again for a name that was not resolved after several seconds.
FOLLOWS = "chronyc waitsync 120 0 0 0.5"
UP = f"systemctl is-system-running --wait; systemctl start filae-web@blue.service; {FOLLOWS}"
LISTEN = "/etc/postgresql/17/main/conf.d/zz-open.conf"
RESTART = "systemctl restart postgresql@17-main"
OPENED = "/etc/systemd/system/filae-web@blue.service.d/zz-open.conf"
AGAIN = "systemctl daemon-reload; systemctl restart filae-web@blue.service"
HBA = "/etc/postgresql/17/main/pg_hba.conf"
AS_POSTGRES = "runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d filae"
STRANGE = f"""cp -p {HBA} /root/hba && sed -i '1i local all all trust' {HBA} && {AS_POSTGRES} <<'EOF'
ALTER ROLE filae SET search_path='public';
CREATE ROLE mallory;
GRANT pg_read_server_files TO mallory;
GRANT postgres TO filae;
ALTER SYSTEM SET log_min_messages='panic';
CREATE EXTENSION pg_trgm;
GRANT INSERT ON public.schema_migrations TO filae;
EOF"""
DECLARED = f"""cp -p /root/hba {HBA} && {AS_POSTGRES} <<'EOF'
ALTER ROLE filae RESET search_path;
DROP ROLE mallory;
REVOKE postgres FROM filae;
ALTER SYSTEM RESET log_min_messages;
DROP EXTENSION pg_trgm;
REVOKE INSERT ON public.schema_migrations FROM filae;
EOF"""
WEB = "filae-web@blue.socket filae-web@blue.service"

SABOTAGES = {
    "service stopped": (f"systemctl stop {WEB}", f"systemctl start {WEB}", {"app-units", "app-health", "app-probe"}),
    "port opened": (
        "systemd-run -q --unit=open-port python3 -m http.server 8080 --bind 0.0.0.0 --directory /var/empty; "
        "until ss -Hltn | grep -q ':8080 '; do sleep 0.1; done; "
        "nft insert rule inet filae input tcp dport 8080 accept",
        "systemctl stop open-port; systemctl reload filae-firewall",
        {"net-listening", "net-closed", "firewall-rules"},
    ),
    "weak TLS": (f"{KEEP}; {WEAK} && {LOAD}", BACK, {"tls-versions", "tls-suites"}),
    "key readable": (
        "chmod 0644 /etc/filae/tls/key.pem",
        "chmod 0600 /etc/filae/tls/key.pem",
        {"files-secret", "secrets-files"},
    ),
    "clock service off": (
        "systemctl stop chrony",
        f"systemctl start chrony; {FOLLOWS}",
        {"service-clock"},
    ),
    "certificate swapped": (
        f"{KEEP}; {SWAP} && {LOAD}",
        f"{BACK}; rm /root/swap.*",
        {"tls-installed", "tls-chain", "app-health", "app-page", "app-probe"},
    ),
    "firewall flushed": ("nft delete table inet filae", "systemctl restart filae-firewall", {"firewall-rules"}),
    "root login opened": (
        "echo PermitRootLogin yes > /etc/ssh/sshd_config.d/0-open.conf && systemctl restart ssh",
        "rm /etc/ssh/sshd_config.d/0-open.conf && systemctl restart ssh",
        {"ssh-root"},
    ),
    "database on 0.0.0.0": (
        f"echo \"listen_addresses = '0.0.0.0'\" > {LISTEN}; {RESTART}",
        f"rm {LISTEN}; {RESTART}",
        {"net-listening", "db-local"},
    ),
    "what nobody declared in the database": (
        STRANGE,
        DECLARED,
        {"db-access", "db-timeouts", "db-roles", "db-settings", "db-contents", "db-schema"},
    ),
    "attachments not writable": (
        "chown root:root /srv/filae/files/attachments && chmod 0755 /srv/filae/files/attachments",
        "chown filae:filae /srv/filae/files/attachments && chmod 0750 /srv/filae/files/attachments",
        {"app-store", "app-probe", "app-health"},
    ),
    # systemd's own measure of the exposure stays as it is.
    "sandbox opened": (
        f"printf '[Service]\\nReadOnlyPaths=\\nReadWritePaths=/etc/systemd\\n' > {OPENED}; {AGAIN}",
        f"rm {OPENED}; {AGAIN}",
        {"app-writes"},
    ),
    "disk nearly full": (
        "fallocate -l $(( $(df --output=avail -B1 / | tail -1) - 1024 * 1024 * 1024 )) /var/full",
        "rm /var/full",
        {"disk-space"},
    ),
    "backup forgotten": (
        f"filaectl receipt --kind backup --at {dt.datetime.now(dt.UTC) - dt.timedelta(days=3):%Y-%m-%dT%H:%M:%S+00:00}",
        "rm /var/lib/filae-ops/receipts/backup.json",
        {"backup-receipt"},
    ),
    "sudoers stranger": (
        "echo 'mallory ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/mallory",
        "rm /etc/sudoers.d/mallory",
        {"access-sudo"},
    ),
    "stranger's key": (
        f"echo '{OLD_KEY}' > /etc/ssh/authorized_keys.d/mallory",
        "rm /etc/ssh/authorized_keys.d/mallory",
        {"access-keys"},
    ),
    "secret in the journal": (
        "logger < /etc/filae/secrets/secret_key_base; journalctl --sync",
        "journalctl --rotate --vacuum-time=1s",
        {"secrets-journal"},
    ),
}  # fmt: skip

CONTRADICTIONS = {"backup forgotten": "DSI-10", "port opened": "NET-07", "stranger's key": "OPS-08"}
"""Sabotages by which the machine contradicts what the inventory declares: a daily backup, the flows, the keys."""


@pytest.fixture(scope="module")
def victim(template: machine.Machine) -> Iterator[Site]:
    """A copy of the deployed machine, for this module alone: the last test cuts its power."""
    name = f"victim-{os.urandom(2).hex()}"
    site = Site(fleet.up(name, source=template, say=say))
    # A check right after the start would see units that are still starting.
    must(site.run(UP))
    yield site
    lifecycle.remove(site.machine)


def red(report: Report) -> dict[str, str]:
    """Return the failing checks with their owners."""
    return {each.id: each.owner for each in report.verdicts if each.status == "fail"}


def owners(names: set[str], report: Report) -> dict[str, str]:
    """Return who answers for these checks, by the register."""
    return {each.id: requirement(each.requirement).owner for each in report.verdicts if each.id in names}


def must(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stderr


def test_a_deployed_machine_is_green(victim):
    report = verify_inventory(victim.inventory)
    assert red(report) == {}, [(each.id, each.message) for each in report.verdicts if each.status == "fail"]
    assert report.count("pass") > 70
    assert report.count("pass", "dsi") >= 10
    proved = {each.id: each.status for each in report.verdicts if each.id.startswith("app-")}
    assert set(proved.values()) == {"pass"}


@pytest.mark.parametrize("name", SABOTAGES)
def test_a_sabotage_turns_exactly_its_checks_red(victim, name):
    break_it, mend_it, wanted = SABOTAGES[name]
    must(victim.run(break_it))
    try:
        report = verify_inventory(victim.inventory)
    finally:
        must(victim.run(mend_it))
    assert red(report) == owners(wanted, report)
    assert set(red(report)) == wanted
    assert all(each.next for each in report.verdicts if each.status == "fail")
    if name in CONTRADICTIONS:
        (rule,) = [each for each in report.disagreements if each.requirement.id == CONTRADICTIONS[name]]
        assert rule.status in ("gap", "non_compliant")
        assert set(wanted) >= {each.id for each in rule.checks if each.status == "fail"}
        assert rule.reason("fr"), "what is declared stands beside what is found"


def test_an_operator_s_key_past_its_end_turns_red(victim, tmp_path):
    past = dt.date.today() - dt.timedelta(days=1)
    inventory = older_inventory(victim.inventory.parent, tmp_path / "site", past)
    file = "/etc/ssh/authorized_keys.d/lab"
    must(victim.run(f"cp -p {file} /root/lab; echo 'expiry-time=\"{past:%Y%m%d}235959\" {OLD_KEY}' >> {file}"))
    try:
        report = verify_inventory(inventory / "hosts.yml")
    finally:
        must(victim.run(f"mv /root/lab {file}"))
    assert red(report) == {"access-expired": "provider"}


def older_inventory(source: Path, copy: Path, until: dt.date) -> Path:
    """Copy an inventory, and give its operator a second key that has ended."""
    shutil.copytree(source, copy)
    path = copy / "group_vars" / "all" / "access.yml"
    content = yaml.safe_load(path.read_text())
    content["access"]["operators"][0]["keys"].append({"key": OLD_KEY, "until": until.isoformat()})
    path.write_text(yaml.safe_dump(content))
    return copy


def test_the_commands_and_their_documents(victim, tmp_path):
    done = victim.ops("verify", "--json", "--junit", str(tmp_path / "verify.xml"))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {"summary", "by_owner", "checks", "requirements", "site", "inventory"} <= set(document)
    assert [each["id"] for each in document["requirements"] if each["disagree"]] == []
    assert document["summary"]["fail"] == 0
    assert (tmp_path / "verify.xml").is_file()
    (tmp_path / "verify.json").write_text(json.dumps(document))
    page = tmp_path / "minutes.html"
    must(run_ops("report", "verification", "--from", str(tmp_path / "verify.json"), "--html", str(page)))
    assert document["inventory"]["sha256"] in page.read_text()
    done = victim.ops("doctor", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ok"] is True
    must(victim.run("systemctl stop chrony"))
    try:
        assert victim.ops("verify", "--only", "provider").returncode == 3
    finally:
        must(victim.run(f"systemctl start chrony; {FOLLOWS}"))


def test_a_second_machine_sees_the_same(victim, bare):
    report = verify_inventory(victim.inventory, seen_from=bare.inventory)
    assert red(report) == {}
    verdicts = {each.id: each.status for each in report.verdicts}
    assert verdicts["net-closed"] == verdicts["flow-in-https"] == verdicts["tls-versions"] == "pass"


def test_the_machine_is_as_it_was(victim):
    assert red(verify_inventory(victim.inventory)) == {}


def test_a_power_cut_turns_red(victim):
    lifecycle.stop(victim.machine, cut=True)
    lifecycle.start(victim.machine)
    must(victim.run(UP))
    report = verify_inventory(victim.inventory)
    assert red(report) == {"machine-stops": "dsi"}
