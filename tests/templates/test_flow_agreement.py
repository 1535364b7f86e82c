"""Each form that a flow may take: the kernel's rules and the flow matrix say the same. Needs root and nft."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruleset import opened_by_matrix, opened_by_rules
from templates.rendering import render

from filae_ops.report.flows.matrix import documents, lines

ADMINISTRATION = ["192.0.2.0/24", "2001:db8:1::/64"]
IN, OUT = {"direction": "in", "to": "machine"}, {"direction": "out", "from": "machine"}
FORMS: dict[str, dict[str, Any]] = {
    "one network": {**IN, "from": ["198.51.100.0/24"], "proto": "tcp", "port": 443},
    "one address, not in a list": {**IN, "from": "198.51.100.7", "proto": "tcp", "port": [443]},
    "both families, several ports": {
        **IN, "from": ["198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"], "proto": "tcp", "port": [80, 443]},
    "networks that overlap": {**IN, "from": ["10.0.0.0/8", "10.1.0.0/16"], "proto": "tcp", "port": 443},
    "networks that touch": {**IN, "from": ["10.0.0.0/9", "10.128.0.0/9", "10.2.3.4"], "proto": "udp", "port": 5000},
    "ports that follow": {**IN, "from": "internet", "proto": "tcp", "port": [8000, 8001, 8002]},
    "the zone administration": {**IN, "from": "administration", "proto": "tcp", "port": 22},
    "the zone internet": {**IN, "from": "internet", "proto": "tcp", "port": 443},
    "echo from anywhere": {**IN, "from": "internet", "proto": "icmp"},
    "echo from both families": {**IN, "from": ADMINISTRATION, "proto": "icmp"},
    "udp in": {**IN, "from": ["10.0.0.1"], "proto": "udp", "port": 161},
    "out to a server": {**OUT, "to": ["192.0.2.123"], "proto": "udp", "port": 123},
    "out to the administration": {**OUT, "to": "administration", "proto": "tcp", "port": 514},
    "out to anywhere": {**OUT, "to": "internet", "proto": "tcp", "port": [80, 443]},
    "echo out": {**OUT, "to": ["2001:db8::1"], "proto": "icmp"},
}  # fmt: skip


def loaded(text: str, scratch: Path) -> dict[str, Any]:
    """Return the ruleset as a kernel holds it, in an empty network."""
    scratch.write_text(text)
    script = f"nft -f {scratch} && nft -j list ruleset"
    done = subprocess.run(["unshare", "--net", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft"), reason="needs root and nft")
@pytest.mark.parametrize("name", [*FORMS, "all of them"])
def test_rules_and_matrix_agree(name: str, tmp_path: Path) -> None:
    chosen = FORMS.values() if name == "all of them" else [FORMS[name]]
    flows = [{**flow, "id": f"flow-{number}", "description": "x"} for number, flow in enumerate(chosen)]
    text = render(
        "firewall", "filae.nft.j2", firewall_flows=flows, firewall_administration=ADMINISTRATION,
    )  # fmt: skip
    rules = opened_by_rules(loaded(text, tmp_path / "rules.nft"))
    matrix = opened_by_matrix(documents(lines(flows, ADMINISTRATION, ["192.0.2.10"])))
    assert (rules - matrix, matrix - rules) == (set(), set())
