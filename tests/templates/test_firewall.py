"""The declared flows, and nothing else, become rules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
from templates.rendering import render

ADMINISTRATION = ["192.0.2.0/24", "2001:db8:1::/64"]
IN = {"direction": "in", "to": "machine"}
OUT = {"direction": "out", "from": "machine"}

# a flow, and the rules that it makes
FLOWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a network": (
        {**IN, "id": "https", "from": ["198.51.100.0/24"], "proto": "tcp", "port": 443},
        ["ip saddr { 198.51.100.0/24 } tcp dport { 443 }"]),
    "one address, not in a list": (
        {**IN, "id": "https", "from": "198.51.100.7/32", "proto": "tcp", "port": [443]},
        ["ip saddr { 198.51.100.7/32 } tcp dport { 443 }"]),
    "both families, several ports": (
        {**IN, "id": "web", "from": ["198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"], "proto": "tcp",
         "port": [80, 443]},
        ["ip saddr { 198.51.100.0/24, 203.0.113.0/24 } tcp dport { 80, 443 }",
         "ip6 saddr { 2001:db8::/32 } tcp dport { 80, 443 }"]),
    "the zone administration": (
        {**IN, "id": "ssh", "from": "administration", "proto": "tcp", "port": 22},
        ["ip saddr { 192.0.2.0/24 } tcp dport { 22 }", "ip6 saddr { 2001:db8:1::/64 } tcp dport { 22 }"]),
    "the zone internet": (
        {**IN, "id": "https", "from": "internet", "proto": "tcp", "port": 443}, ["tcp dport { 443 }"]),
    "echo from anywhere": (
        {**IN, "id": "ping", "from": "internet", "proto": "icmp"},
        ["icmp type echo-request", "icmpv6 type echo-request"]),
    "echo from a zone": (
        {**IN, "id": "ping", "from": "administration", "proto": "icmp", "port": []},
        ["ip saddr { 192.0.2.0/24 } icmp type echo-request", "ip6 saddr { 2001:db8:1::/64 } icmpv6 type echo-request"]),
    "out to a server": (
        {**OUT, "id": "ntp", "to": ["192.0.2.123/32"], "proto": "udp", "port": 123},
        ["ip daddr { 192.0.2.123/32 } udp dport { 123 }"]),
    "out to anywhere": (
        {**OUT, "id": "mirrors", "to": "internet", "proto": "tcp", "port": [80, 443]}, ["tcp dport { 80, 443 }"]),
}  # fmt: skip


# Other than root's, system users' numbers end at 999.
TO_SSHD = "oif lo meta skuid 1-999 tcp dport 22 reject with tcp reset"


def rules(*flows: dict[str, Any]) -> str:
    return render(
        "firewall", "filae.nft.j2", firewall_flows=list(flows), firewall_administration=ADMINISTRATION,
    )  # fmt: skip


def chain(text: str, name: str) -> str:
    return re.search(rf"chain {name} \{{\n(.*?)\n    \}}", text, re.S).group(1)  # type: ignore[union-attr]


def made(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "comment" in line and "refused" not in line]


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_makes_exactly_its_rules(name: str) -> None:
    flow, expected = FLOWS[name]
    text = rules(flow)
    wanted = [f'{rule} counter accept comment "{flow["id"]}"' for rule in expected]
    here, there = ("input", "output") if flow["direction"] == "in" else ("output", "input")
    assert made(chain(text, here)) == wanted
    assert made(chain(text, there)) == []


def test_without_flows_nothing_passes_but_replies_and_what_the_network_needs() -> None:
    text = rules()
    for name in ("input", "forward", "output"):
        assert "policy drop;" in chain(text, name)
    assert "ct state established,related accept" in chain(text, "input")
    assert re.findall(r".*(?:dport|sport).*", text) == [f"        {TO_SSHD}"]
    assert "accept" not in chain(text, "forward")


def test_the_table_is_ours_alone_and_replaced_in_one_transaction() -> None:
    text = rules()
    assert re.findall(r"^(?:delete )?table .*", text, re.M) == [
        "table inet filae", "delete table inet filae", "table inet filae {",
    ]  # fmt: skip
    assert "flush ruleset" not in text


def test_a_connection_older_than_the_rules_keeps_its_replies() -> None:
    text = rules(FLOWS["the zone administration"][0], FLOWS["out to a server"][0])
    assert "tcp sport { 22 } tcp flags & (syn | ack) == ack ct state new accept" in chain(text, "output")
    assert "sport { 123 }" not in text


def test_no_user_of_the_system_s_reaches_sshd_by_the_loopback() -> None:
    """By number: the application's users are made later, and rules that name an unknown user do not load."""
    lines = [line.strip() for line in chain(rules(), "output").splitlines()]
    assert lines.index("ct state established,related accept") < lines.index(TO_SSHD) < lines.index("oif lo accept")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft"), reason="nft checks a file as root only")
def test_nft_accepts_every_flow() -> None:
    flows = [{**flow, "id": f"{flow['id']}-{number}"} for number, (flow, _) in enumerate(FLOWS.values())]
    done = subprocess.run(["nft", "-c", "-f", "-"], input=rules(*flows), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
