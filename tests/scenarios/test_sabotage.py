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
from deciding import DECIDING
from sabotages import FOLLOWS, OLD_KEY, SABOTAGES, UP
from sites import Site, run_ops, say

from filae_ops.lab import fleet, lifecycle, machine
from filae_ops.register.lookup import requirement
from filae_ops.verification.verify import Report, verify_inventory

# Requirements that both answer for; what is wrong in nginx's settings is the provider's.
CAUSED = {"tls-versions": "provider", "tls-suites": "provider", "tls-chain": "provider"}
CONTRADICTIONS = {"backup forgotten": "DSI-10", "port opened": "NET-07", "stranger's key": "OPS-08"}
"""Sabotages by which the machine contradicts what the inventory declares: a daily backup, the flows, the keys."""


@pytest.fixture(scope="module")
def victim(template: machine.Machine) -> Iterator[Site]:
    """A copy of the deployed machine, for this module alone: the last test cuts its power."""
    name = f"victim-{os.urandom(2).hex()}"
    site = Site(fleet.up(name, source=template, say=say))
    provisioned = site.ops("provision")
    assert provisioned.returncode == 0, f"a copy has another address, its certificate follows: {provisioned.stderr}"
    # A check right after the start would see units that are still starting.
    must(site.run(UP))
    yield site
    lifecycle.remove(site.machine)


def red(report: Report) -> dict[str, str]:
    """Return the failing checks with their owners."""
    return {each.id: each.owner for each in report.verdicts if each.status == "fail"}


def owners(names: set[str], report: Report) -> dict[str, str]:
    """Return who answers for these checks: by the register, or for the cause that this sabotage is."""
    return {
        each.id: CAUSED.get(each.id, requirement(each.requirement).owner)
        for each in report.verdicts
        if each.id in names
    }


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


@pytest.fixture(scope="module")
def strange(victim: Site) -> Report:
    """What is told of a machine on which all of DECIDING was done; then it is as before."""
    try:
        must(victim.run("\n".join(["set -e", *(break_it for break_it, *_ in DECIDING.values())])))
        return verify_inventory(victim.inventory)
    finally:
        must(victim.run("\n".join(["set -e", *(mend_it for _, mend_it, *_ in DECIDING.values())])))


@pytest.mark.parametrize("name", DECIDING)
def test_whatever_decides_and_nothing_accounts_for_is_named(strange, name):
    *_, check, named = DECIDING[name]
    (verdict,) = [each for each in strange.verdicts if each.id == check]
    assert verdict.status == "fail"
    assert named in " ".join(map(str, verdict.values.values()))


def test_no_other_check_accuses_anybody_for_it(strange):
    assert set(red(strange)) == {check for *_, check, _ in DECIDING.values()}


# As the application in its web unit: it ends whatever it can, writes as sshd, and looks for other sockets.
TAKEN_OVER = """
web=$(systemctl show -p MainPID --value filae-web@blue); worker=$(systemctl show -p MainPID --value {worker})
systemd-run -q --unit=filae-run-other --collect -p PrivatePIDs=yes -p User=filae sleep 600
inside() {{ nsenter -t $web -p -m setpriv --reuid filae --regid filae --clear-groups sh -c "$1"; }}
inside 'logger -t sshd "Accepted publickey for mallory"; ls /run'
inside 'kill -9 -1'
test $worker = $(systemctl show -p MainPID --value {worker}) && systemctl is-active filae-run-other {worker}
journalctl --sync; journalctl --namespace=filae --sync
journalctl -q -o cat -t sshd --grep=mallory; journalctl --namespace=filae -q -o cat -n 1 -t sshd --grep=mallory
systemctl kill --signal=KILL filae-run-other; until systemctl is-active -q filae-web@blue; do sleep 0.1; done
ss -Hltn | grep -c :9292
"""


def test_an_application_that_was_taken_over_reaches_nobody_else(victim):
    worker = "filae-worker@worker-blue.service"
    done = victim.run("bash", "-c", TAKEN_OVER.format(worker=worker))
    reached = ["credentials", "postgresql", "systemd", "active", "active", "Accepted publickey for mallory", "0"]
    assert done.stdout.split("\n")[:-1] == reached, done.stderr


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


def test_a_release_that_was_changed_is_made_anew_by_its_own_bundle(victim, bundles):
    tree = "/opt/filae/releases/2.0.0"
    must(victim.run(f"echo >> {tree}/Rakefile; touch {tree}/x.rb"))
    assert set(red(verify_inventory(victim.inventory))) == {"release-intact"}
    done = victim.ops("deploy", str(bundles["2.0.0"]))
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in victim.ops("deploy", str(bundles["2.0.0"])).stderr


def test_the_machine_is_as_it_was(victim):
    assert red(verify_inventory(victim.inventory)) == {}


def test_a_power_cut_turns_red(victim):
    lifecycle.stop(victim.machine, cut=True)
    lifecycle.start(victim.machine)
    must(victim.run(UP))
    report = verify_inventory(victim.inventory)
    assert red(report) == {"machine-stops": "dsi"}
