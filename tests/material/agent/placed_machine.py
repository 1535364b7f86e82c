"""A machine as the agent's steps leave it, for what is asked of the files that it placed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from material.agent.fakes import machine_at, put_release

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.frontdoor import nginx, site_include
from filae_ops.agent.release import store
from filae_ops.agent.runtime import credentials, unit_control
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Result
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

RUNS = Result(0, "ActiveState=active\nNRestarts=0\n")
COLOUR = "green"


def machine_of_two_releases(tmp_path: Path) -> Machine:
    """2.1.0 is live on green, 2.0.0 is kept, as the steps leave a machine."""
    machine, _ = machine_at(tmp_path, {"systemctl show filae-worker": RUNS}, timings={"settle": 0.001})
    for version in ("2.0.0", "2.1.0"):
        tree = put_release(machine, version)
        (tree / "public").mkdir()
        store.bind(machine, tree, of_release(tree))
    contract = of_release(machine.layout.release("2.1.0"))
    durable.write(machine.layout.secrets / "mail_password", "x", 0o600)
    credentials.ensure(machine, contract)
    deployed(machine, "2.1.0", COLOUR)
    unit_control.prepare_web(machine, contract, COLOUR, start=42.5)
    nginx.put(machine, site_include.pair(machine, contract, COLOUR))
    unit_control.start_workers(machine, contract, COLOUR)
    unit_control.set_timers(machine, contract)
    durable.link(machine.layout.current, machine.layout.release("2.1.0"))
    return machine


def deployed(machine: Machine, version: str, colour: str, end: str = "committed", **stage: str) -> None:
    write = Journal(machine.layout.journal).write
    plan = Plan(f"t{version}{end}", "deploy", version, colour, "/b", "0" * 64, "provider", "claire")
    write("begin", tx=plan.id, **plans.as_fields(plan))
    write("done", tx=plan.id, step="stage", **stage)
    if end:
        write(end, tx=plan.id)


def differences(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    kinds = ("changed", "missing", "added")
    return {kind: {each["path"]: each["problem"] for each in found[kind]["first"]} for kind in kinds}
