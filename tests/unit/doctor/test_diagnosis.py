"""The diagnosis: its dates, its owners, and how a machine that cannot be reached is told."""

from __future__ import annotations

import datetime as dt
import subprocess
from concurrent.futures import Future

import pytest

from filae_ops.deadlines.ends import Line, certificate, keys, supported, system_support
from filae_ops.doctor import diagnosis
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path


@pytest.fixture(scope="module")
def inventory():
    return load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())


@pytest.mark.parametrize(
    ("product", "number", "day", "status"),
    [
        ("ansible-core", "2.19.14", "2026-06-01", "go"), ("ansible-core", "2.19.14", "2026-11-21", "warn"),
        ("ansible-core", "2.19.14", "2027-01-01", "warn"), ("ansible-core", "2.99.0", "2026-11-21", "warn"),
        ("python", "3.11.7", "2026-11-21", "go"), ("python", "3.11.7", "2028-01-01", "warn"),
    ],
)  # fmt: skip
def test_the_controller_s_supports(product, number, day, status):
    line = supported("x", product, number, dt.date.fromisoformat(day))
    assert (line.status, line.owner) == (status, "provider")
    assert bool(line.next) == (status != "go")


@pytest.mark.parametrize(
    ("product", "number", "status"),
    [("debian", "13", "go"), ("debian", "12", "warn"), ("debian", "11", "no-go"), ("arch", "1", "no-go")],
)
def test_the_machine_s_support(product, number, status):
    line = system_support(product, number, dt.date(2026, 11, 21))
    assert (line.status, line.owner) == (status, "dsi")


def test_keys_that_end_soon_are_named(inventory):
    lines = {line.id: line for line in keys(inventory, dt.date(2026, 11, 21))}
    assert {line.status for line in lines.values()} == {"go"}
    soon = {line.id: line for line in keys(inventory, dt.date(2027, 6, 15))}
    assert soon["operator-keys"].status == "warn"
    assert "amartin (2027-06-30)" in soon["operator-keys"].message
    assert soon["dsi-keys"].owner == "dsi"
    late = {line.id: line for line in keys(inventory, dt.date(2028, 1, 1))}
    assert late["operator-keys"].status == "no-go"


def test_a_demonstration_has_its_own_certificate(inventory):
    (line,) = certificate(inventory, dt.date(2026, 11, 21))
    assert line.status == "go"


@pytest.mark.parametrize(
    ("stderr", "owner", "said"),
    [
        ("Host key verification failed.", "dsi", "host key"),
        ("ssh: connect to host 192.0.2.10 port 22: Connection timed out", "dsi", "no answer on SSH"),
        ("amartin@192.0.2.10: Permission denied (publickey).", "provider", "refuses this account or key"),
        ("sudo: a password is required", "dsi", "no sudo without a password"),
    ],
)
def test_a_machine_that_cannot_be_used_is_one_no_go(inventory, monkeypatch, tmp_path, stderr, owner, said):
    monkeypatch.setattr(
        diagnosis.subprocess, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 255, "", stderr)
    )
    (host,) = inventory.hosts.values()
    lines = list(diagnosis.machine(inventory, host, tmp_path / "config", dt.date(2026, 11, 21), Future(), {}))
    assert [line.status for line in lines] == ["no-go"]
    assert lines[0].owner == owner
    assert said in lines[0].message
    assert lines[0].next


def test_what_was_measured_becomes_lines(inventory):
    row = {"id": "disk", "owner": "dsi", "status": "no-go", "message": "disk: 3 GiB", "next": "give it"}
    preflight = {"value": {"lines": {"disk": row}, "facts": {"os": {"id": "debian", "version": "11"}}}}
    found = {"preflight": preflight, "outbound": {"value": {"proxy": False, "mail": True}}}
    lines = {line.id: line for line in diagnosis.measured(inventory, found, dt.date(2026, 11, 21))}
    statuses = {name: line.status for name, line in lines.items()}
    assert statuses == {"disk": "no-go", "os-support": "no-go", "flow-out-proxy": "warn", "flow-out-mail": "go"}
    assert not diagnosis.Diagnosis(tuple(lines.values())).ok


def test_a_machine_that_cannot_be_measured_is_a_no_go(inventory):
    (line,) = diagnosis.measured(inventory, {"preflight": {"error": "python3 is broken"}}, dt.date(2026, 11, 21))
    assert line.status == "no-go"


def test_the_document():
    lines = (Line("a", "dsi", "go", "x"), Line("b", "provider", "warn", "y", "do"))
    document = diagnosis.Diagnosis(lines).document()
    assert document["ok"] is True
    assert document["lines"][1] == {"id": "b", "owner": "provider", "status": "warn", "message": "y", "next": "do"}
