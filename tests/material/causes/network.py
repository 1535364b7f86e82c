"""What is wrong with the sockets that wait for others, and with the firewall."""

from __future__ import annotations

from material.causes.cause import PROVISION, SAME_RULES, Cause, socket

OPEN = {"from": "192.0.2.130", "ports": {"8080": "open"}}
POLICIES = "policy drop;\n" * 3
NETWORK = [
    Cause("net-listening", "undeclared", "provider", ("python3 0.0.0.0:8080/tcp", "flows.yml"),
          socket(8080, "python3")),
    Cause("net-closed", "open", "provider", ("192.0.2.130", "TCP 8080", "stop what listens"), socket(8080), OPEN),
    Cause("net-closed", "open_before", "dsi", ("192.0.2.130", "TCP 8080", "device before"), {"sockets": []}, OPEN),
    Cause("firewall-rules", "none", "provider", (PROVISION,), {"firewall": {"live": "", "wanted": POLICIES}}),
    Cause("firewall-rules", "different", "provider", ("+tcp dport 8080 accept", PROVISION),
          {"firewall": {"live": f"{POLICIES}tcp dport 8080 accept", "wanted": POLICIES}}),
    Cause("firewall-boot", "different", "provider", ("+tcp dport 8080 accept", PROVISION),
          {"firewall": {"boot": "tcp dport 8080 accept", "wanted": ""}}),
    Cause("firewall-boot", "service_off", "provider", ("filae-firewall.service", PROVISION), SAME_RULES, enabled=False),
]  # fmt: skip
