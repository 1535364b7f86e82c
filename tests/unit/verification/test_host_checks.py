"""The host checks on invented facts, all in one run: nothing measured is never a pass."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from filae_ops.facts import main
from filae_ops.facts.gathering import PARTS
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.verification import verify
from filae_ops.verification.pytest_run import HostChecks

NOW = 1_795_000_000.0
HOUR = 3600
# What testinfra asks by itself; without a connection it gets no answer.
ASKED = ("service-", "files-key", "firewall-boot", "agent-recovery")
OUTSIDE = {"from": "192.0.2.130", "ports": {"22": "filtered", "443": "filtered"}, "web": {"error": "no"}}
LISTENING = [
    ("tcp", "0.0.0.0", 443, "pass"),
    ("tcp", "127.0.0.1", 5432, "pass"),
    ("tcp", "::1", 9000, "pass"),
    ("tcp", "0.0.0.0", 5432, "fail"),
    ("tcp", "*", 8080, "fail"),
    ("udp", "::", 161, "fail"),
    ("udp", "192.0.2.10", 68, "pass"),
    ("tcp", "127.0.0.53", 53, "pass"),
]
UNIT = "filae-web@blue.service"
SHUT = {"/etc": "EROFS", "/home": "EACCES", "/var/www": "ENOENT"}
OWN = {"/srv/filae/files/attachments": "written", "/var/cache/filae/2.0.0": "written", "/tmp": "written"}
WRITES = [
    ({UNIT: SHUT | OWN}, "pass", "nowhere else"),
    (
        {UNIT: SHUT | OWN | {"/run": "written", "/etc/systemd": "written"}},
        "fail",
        f"{UNIT} can write in /etc/systemd, /run",
    ),
    (
        {UNIT: SHUT | OWN, "filae-worker@jobs-blue.service": OWN | {"/": "written"}},
        "fail",
        "jobs-blue.service can write in /",
    ),
    ({UNIT: SHUT | OWN | {"/run": "ENOSPC"}}, "not_run", "says nothing in /run (ENOSPC, "),
    ({UNIT: SHUT | OWN | {"/tmp": "EROFS"}}, "not_run", "says nothing in /tmp (EROFS, "),
    ({}, "not_run", "no process of the application runs"),
]
RECEIPTS = [(1, None, "not_run"), (40, None, "fail"), (40, 1, "pass"), (90, 30, "fail")]


def system(installed: float, now: float = NOW) -> dict[str, Any]:
    return {"system": {"value": {"installed": installed, "now": now}}}


def socket(proto: str, address: str, port: int) -> dict[str, Any]:
    return {"sockets": {"value": [{"proto": proto, "address": address, "port": port, "program": "x"}]}}


def receipts(age: float, receipt: float | None) -> dict[str, Any]:
    when = dt.datetime.fromtimestamp(NOW - (receipt or 0) * HOUR, dt.UTC).isoformat()
    return {"receipts": {"value": {"backup": {"at": when}} if receipt else {}}} | system(NOW - age * HOUR)


def writes(tried: dict[str, Any]) -> dict[str, Any]:
    return {"writes": {"value": tried}, "agent": {"value": {"status": {"version": "2.0.0"}}}}


def boots(*unclean: float) -> dict[str, Any]:
    return {"boots": {"value": {"boots": 3, "unclean": list(unclean), "days": 30}}} | system(2000, 9000)


SCENARIOS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "silent": ({name: {"error": "the machine said nothing"} for name in PARTS}, {}),
    "stopped-before": (boots(1000), {}),
    "stopped-since": (boots(1000, 3000), {}),
    "at-fault": ({"firewall": {"value": {"live": "x", "wanted": "x", "boot": "x"}}, "sshd": {"value": None}}, {}),
    "closed-way": (socket("tcp", "0.0.0.0", 22), OUTSIDE),
    "no-listener": ({"sockets": {"value": []}}, OUTSIDE),
    **{f"listen{n}": (socket(*row[:3]), {}) for n, row in enumerate(LISTENING)},
    **{f"writes{n}": (writes(row[0]), {}) for n, row in enumerate(WRITES)},
    **{f"receipt{n}": (receipts(*row[:2]), {}) for n, row in enumerate(RECEIPTS)},
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Judge every scenario, each as a machine of one inventory; return the verdicts by scenario and id."""
    directory = tmp_path_factory.mktemp("verify")
    inventory = load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())
    content = inventory.model_dump(mode="json", by_alias=True)
    host = next(iter(content["hosts"].values()))
    content["hosts"] = {name: {**host, "name": name} for name in SCENARIOS}
    hosts = {name: {"facts": facts, "outside": outside, "placed": {}} for name, (facts, outside) in SCENARIOS.items()}
    context = {"inventory": content, "hosts": hosts, "ssh_config": str(directory / "none")}
    with HostChecks(directory) as checks:
        verdicts = verify.verdicts(checks.judge(context))
    return {(each.host, each.id.partition(":")[2]): each for each in verdicts}


def test_every_part_is_registered():
    assert main.MODULES
    assert {"sshd", "sockets", "leaks", "writes", "database", "observed", "preflight", "served"} <= set(PARTS)


def test_no_fact_no_pass(found):
    silent = {name: each for (host, name), each in found.items() if host == "silent"}
    assert {each.status for each in silent.values()} <= {"not_run", "fail"}
    assert [name for name, each in silent.items() if each.status == "fail" and not name.startswith(ASKED)] == []
    assert silent["ssh-root"].message == "could not be measured: the machine said nothing"
    assert silent["app-health"].status == "not_run"


@pytest.mark.parametrize(("name", "error"), [("firewall-rules", "AssertionError"), ("ssh-root", "AttributeError")])
def test_a_check_that_is_itself_at_fault_accuses_nobody_of_the_site(found, name, error):
    broke = found["at-fault", name]
    assert (broke.status, broke.owner) == ("not_run", "provider")
    assert broke.message.startswith(f"the check itself broke: {error}")
    assert broke.next.endswith("it is a fault of filae-ops")


def test_a_stop_before_the_installation_is_not_counted(found):
    assert found["stopped-before", "machine-stops"].status == "pass"
    cut = found["stopped-since", "machine-stops"]
    assert (cut.status, cut.owner) == ("fail", "dsi")


@pytest.mark.parametrize(("number", "row"), list(enumerate(LISTENING)))
def test_what_listens(found, number, row):
    assert found[f"listen{number}", "net-listening"].status == row[3]


@pytest.mark.parametrize(("number", "row"), list(enumerate(WRITES)))
def test_where_the_application_writes(found, number, row):
    verdict = found[f"writes{number}", "app-writes"]
    assert (verdict.status, verdict.owner) == (row[1], "provider")
    assert row[2] in verdict.message


@pytest.mark.parametrize(("number", "row"), list(enumerate(RECEIPTS)))
def test_the_age_of_receipts(found, number, row):
    assert found[f"receipt{number}", "backup-receipt"].status == row[2]


def test_a_closed_way_is_the_dsi_s_only_where_something_listens(found):
    closed = found["closed-way", "flow-in-ssh"]
    assert (closed.status, closed.owner) == ("fail", "dsi")
    assert found["no-listener", "flow-in-ssh"].status == "not_run"
    elsewhere = found["closed-way", "flow-in-https"]
    assert elsewhere.status == "not_run"
    assert "declared from elsewhere" in elsewhere.message
