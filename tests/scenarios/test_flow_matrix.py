"""The flow matrix given to the DSI, against the rules that a machine's kernel holds and the sockets there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruleset import Opening, opened_by_matrix, opened_by_rules, undeclared
from sites import Site

LISTEN = (
    "systemd-run --quiet --collect --unit=stray python3 -c"
    " \"import socket,time; s=socket.create_server(('', 8080)); time.sleep(600)\""
)


def matrix(site: Site) -> list[dict[str, Any]]:
    done = site.ops("flows", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["flows"]
    return found


def loaded(site: Site) -> set[Opening]:
    done = site.run("nft -j list ruleset")
    assert done.returncode == 0, done.stderr
    return opened_by_rules(json.loads(done.stdout))


def listening(site: Site) -> str:
    done = site.run("ss -H -lntup")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rows(deployed: Site) -> list[dict[str, Any]]:
    return matrix(deployed)


@pytest.fixture
def flows_file(deployed: Site) -> Path:
    return deployed.inventory.parent / "group_vars/all/flows.yml"


def test_matrix_and_rules_agree_both_ways(deployed: Site, rows: list[dict[str, Any]]) -> None:
    said, rules = opened_by_matrix(rows), loaded(deployed)
    assert rules - said == set(), "the firewall opens what the matrix does not say"
    assert said - rules == set(), "the matrix says what the firewall does not open"
    assert len(rules) > len(rows)


def test_every_socket_that_listens_is_in_the_matrix(deployed: Site, rows: list[dict[str, Any]]) -> None:
    sockets = listening(deployed)
    assert {"22", "80", "443"} <= {line.split()[4].rsplit(":", 1)[1] for line in sockets.splitlines()}
    assert undeclared(sockets, rows) == []


def test_a_socket_that_nobody_declared_is_named(deployed: Site, rows: list[dict[str, Any]]) -> None:
    assert deployed.run(LISTEN).returncode == 0
    try:
        deployed.run("until ss -Hlnt | grep -q :8080; do sleep 0.1; done")
        (extra,) = undeclared(listening(deployed), rows)
        assert ":8080 " in extra
    finally:
        deployed.run("systemctl stop stray")


ADDED = {
    "a port": ("input", "tcp dport 8080 accept", Opening("in", "tcp", "any", "dport 8080")),
    "a wider network": (
        "input", "ip saddr 203.0.113.0/24 tcp dport 22 accept", Opening("in", "tcp", "203.0.113.0/24", "dport 22")),
    "a way out": (
        "output", "ip daddr 203.0.113.7 udp dport 53 accept", Opening("out", "udp", "203.0.113.7/32", "dport 53")),
    "everything": ("output", "accept", Opening("out", "any", "any", "")),
    "a forwarding": ("forward", "tcp dport 22 accept", Opening("through", "tcp", "any", "dport 22")),
}  # fmt: skip


@pytest.mark.parametrize("name", ADDED)
def test_a_rule_added_by_hand_is_detected(deployed: Site, rows: list[dict[str, Any]], name: str) -> None:
    chain, rule, opening = ADDED[name]
    script = f"nft -a -e insert rule inet filae {chain} {rule} | sed 's/.*handle //'"
    handle = deployed.run(script).stdout.strip()
    try:
        assert loaded(deployed) - opened_by_matrix(rows) == {opening}
    finally:
        assert deployed.run(f"nft delete rule inet filae {chain} handle {handle}").returncode == 0


def test_a_flow_removed_from_the_inventory_is_detected(deployed: Site, flows_file: Path) -> None:
    before = flows_file.read_text()
    tree = yaml.safe_load(before)
    tree["flows"] = [flow for flow in tree["flows"] if flow["id"] != "http"]
    try:
        flows_file.write_text(yaml.safe_dump(tree, allow_unicode=True))
        extra = loaded(deployed) - opened_by_matrix(matrix(deployed))
    finally:
        flows_file.write_text(before)
    assert {each.what.partition(" flags")[0] for each in extra} == {"dport 80", "sport 80"}


def test_a_rule_removed_by_hand_is_detected(deployed: Site, rows: list[dict[str, Any]]) -> None:
    handle = deployed.run("nft -a list chain inet filae output | sed -n 's/.*\"ntp\" # handle //p'").stdout.strip()
    deployed.run(f"nft delete rule inet filae output handle {handle}")
    try:
        lost = opened_by_matrix(rows) - loaded(deployed)
    finally:
        assert deployed.run("nft -f /etc/filae/firewall.nft").returncode == 0
    assert {each.what for each in lost} == {"dport 123"}
    assert opened_by_matrix(rows) == loaded(deployed)
