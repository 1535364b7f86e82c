"""`filaectl observe`: what is proved of the live release, for `verify` and for people."""

from __future__ import annotations

import json
from dataclasses import asdict

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.system.machine import Machine


def observe(machine: Machine, *, as_json: bool) -> int:
    """Print what is proved of the live release; 1 when something fails."""
    live = machine.live()
    if live is None:
        found = {"release": proof.Verdict("not_run", "nothing is deployed yet")}
    else:
        found = proof.observed(machine, of_release(machine.layout.release(live.version)))
    checks = {name: asdict(verdict) for name, verdict in found.items()}
    if as_json:
        print(json.dumps({"version": live.version if live else None, "checks": checks}, ensure_ascii=False))
    else:
        for name, verdict in found.items():
            print(f"{name:<12} {verdict.status:<8} {verdict.message}")
    return 1 if any(v.status == "fail" for v in found.values()) else 0
