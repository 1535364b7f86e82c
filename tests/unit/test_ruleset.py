"""The parser of rulesets that the scenarios rely on: every rule is understood, or shown."""

from __future__ import annotations

from typing import Any

import pytest
from ruleset import Opening, merged, opened_by_matrix, opened_by_rules, undeclared

ACCEPT = [{"counter": {"packets": 3, "bytes": 180}}, {"accept": None}]
POLICIES = {"input": "drop", "forward": "drop", "output": "drop"}


def payload(proto: str, name: str, right: Any, operator: str = "==") -> dict[str, Any]:
    return {"match": {"op": operator, "left": {"payload": {"protocol": proto, "field": name}}, "right": right}}


def ruleset(*rules: list[Any], chain: str = "input", policies: dict[str, str] = POLICIES) -> dict[str, Any]:
    own = {"family": "inet", "table": "filae"}
    chains = [
        {"chain": {**own, "name": name, "type": "filter", "hook": name, "prio": 0, "policy": policy}}
        for name, policy in policies.items()
    ]
    made = [{"rule": {**own, "chain": chain, "expr": each}} for each in rules]
    return {"nftables": [{"metainfo": {}}, *chains, *made]}


def state(*names: str) -> dict[str, Any]:
    right = list(names) if len(names) > 1 else names[0]
    return {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": right}}


SYN_AND_ACK = {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, {"|": ["syn", "ack"]}]}
FLAGS = {"match": {"op": "==", "left": SYN_AND_ACK, "right": "ack"}}
LOOPBACK = {"match": {"op": "==", "left": {"meta": {"key": "oif"}}, "right": "lo"}}
SERVERS = {"set": ["2001:db8::1", "2001:db8::3"]}
NETWORK = {"prefix": {"addr": "192.0.2.0", "len": 24}}
SYSTEM_USERS = {"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": {"range": [1, 999]}}}
REJECT = {"reject": {"type": "tcp reset"}}
KNOWN: dict[str, tuple[str, list[Any], set[Opening]]] = {
    "a network and a port": (
        "input", [payload("ip", "saddr", NETWORK), payload("tcp", "dport", 443)],
        {Opening("in", "tcp", "192.0.2.0/24", "dport 443")}),
    "a set of both": (
        "output", [payload("ip6", "daddr", SERVERS), payload("udp", "dport", {"set": [53, 123]})],
        {Opening("out", "udp", f"2001:db8::{n}/128", f"dport {p}") for n in (1, 3) for p in (53, 123)}),
    "any address": ("input", [payload("tcp", "dport", 443)], {Opening("in", "tcp", "any", "dport 443")}),
    "a range of ports": (
        "input", [payload("tcp", "dport", {"range": [80, 82]})],
        {Opening("in", "tcp", "any", f"dport {port}") for port in (80, 81, 82)}),
    "a range of addresses": (
        "input", [payload("ip", "saddr", {"range": ["192.0.2.0", "192.0.2.255"]}), payload("tcp", "dport", 22)],
        {Opening("in", "tcp", "192.0.2.0/24", "dport 22")}),
    "echo": ("input", [payload("icmp", "type", "echo-request")], {Opening("in", "icmp", "any", "type echo-request")}),
    "replies": ("input", [state("established", "related")], {
        Opening("in", "any", "any", "state established"), Opening("in", "any", "any", "state related")}),
    "loopback": ("output", [LOOPBACK], {Opening("out", "any", "lo", "")}),
    "older connections": (
        "output", [payload("tcp", "sport", 22), FLAGS, state("new")],
        {Opening("out", "tcp", "any", "sport 22 flags ack of syn, ack state new")}),
    "everything": ("input", [], {Opening("in", "any", "any", "")}),
    "all of a state": ("input", [state("new")], {Opening("in", "any", "any", "state new")}),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_an_accept_rule_gives_its_openings(name: str) -> None:
    chain, matches, expected = KNOWN[name]
    assert opened_by_rules(ruleset([*matches, *ACCEPT], chain=chain)) == expected


UNREAD: dict[str, list[Any]] = {
    "another address than the other end's": [payload("ip", "daddr", "192.0.2.1"), *ACCEPT],
    "all but": [payload("tcp", "dport", 22, "!="), *ACCEPT],
    "an interface": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}, *ACCEPT],
    "both ports": [payload("tcp", "dport", 22), payload("tcp", "sport", 1024), *ACCEPT],
    "a named set": [payload("ip", "saddr", "@friends"), *ACCEPT],
    "a jump": [{"jump": {"target": "more"}}],
    "a limit": [payload("tcp", "dport", 22), {"limit": {"rate": 3}}, {"accept": None}],
    "a refusal before": [payload("ip", "saddr", NETWORK), {"drop": None}],
    "a verdict map": [{"vmap": {"key": {}, "data": {}}}],
    "a user": [LOOPBACK, SYSTEM_USERS, *ACCEPT],
    "another refusal before": [LOOPBACK, SYSTEM_USERS, payload("tcp", "dport", 443), REJECT],
    "two verdicts": [{"accept": None}, {"drop": None}],
    "something new": [{"queue": {"num": 1}}],
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_understood_is_shown(name: str) -> None:
    assert [each.proto for each in opened_by_rules(ruleset(UNREAD[name]))] == ["unread"]


@pytest.mark.parametrize(
    "rule",
    [
        [{"counter": {"packets": 0, "bytes": 0}}],
        [state("invalid"), {"drop": None}],
        [LOOPBACK, SYSTEM_USERS, payload("tcp", "dport", 22), REJECT],
        [{"log": {"prefix": "x"}}],
    ],
)
def test_a_rule_that_opens_nothing_gives_nothing(rule: list[Any]) -> None:
    assert opened_by_rules(ruleset(rule)) == set()


def test_a_chain_that_accepts_by_default_or_is_absent_is_an_opening() -> None:
    assert opened_by_rules(ruleset(policies={**POLICIES, "input": "accept"})) != set()
    assert Opening("in", "any", "any", "policy accept") in opened_by_rules({"nftables": []})


def test_an_address_translation_of_another_table_is_shown() -> None:
    chain = {"family": "ip", "table": "other", "name": "pre", "type": "nat", "hook": "prerouting", "policy": "accept"}
    found = opened_by_rules({"nftables": [*ruleset()["nftables"], {"chain": chain}]})
    assert {each.proto for each in found} == {"unread"}


def test_networks_that_touch_are_one() -> None:
    halves = [Opening("in", "tcp", f"192.0.2.{start}/25", "dport 22") for start in (0, 128)]
    assert merged(halves) == {Opening("in", "tcp", "192.0.2.0/24", "dport 22")}


ROW = {
    "always": False, "id": "x", "direction": "in", "proto": "tcp", "ports": [80, 443], "types": [],
    "from": {"zone": "named", "networks": ["192.0.2.0/24"]}, "to": {"zone": "machine", "networks": ["192.0.2.9"]},
}  # fmt: skip


def test_a_row_of_the_matrix_gives_its_openings() -> None:
    assert opened_by_matrix([ROW]) == {Opening("in", "tcp", "192.0.2.0/24", f"dport {port}") for port in (80, 443)}
    echo = {**ROW, "proto": "icmp", "ports": [], "from": {"zone": "internet", "networks": []}}
    assert {each.proto for each in opened_by_matrix([echo])} == {"icmp", "icmpv6"}


def test_a_socket_that_listens_beyond_loopback_is_a_row_or_is_named() -> None:
    text = """\
tcp LISTEN 0 511 0.0.0.0:443 0.0.0.0:* users:(("nginx",pid=1,fd=14))
tcp LISTEN 0 511 [::]:80 [::]:* users:(("nginx",pid=1,fd=15))
tcp LISTEN 0 244 127.0.0.1:5432 0.0.0.0:* users:(("postgres",pid=2,fd=6))
tcp LISTEN 0 244 [::1]:5432 [::]:* users:(("postgres",pid=2,fd=6))
udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*
udp UNCONN 0 0 0.0.0.0:443 0.0.0.0:*
tcp LISTEN 0 5 *:8080 *:* users:(("python3",pid=3,fd=3))
"""
    assert [line.split()[4] for line in undeclared(text, [ROW])] == ["0.0.0.0:443", "*:8080"]
