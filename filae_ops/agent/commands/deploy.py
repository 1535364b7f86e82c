"""`filaectl deploy`: preflight, the request, the transaction's unit, and the events until its end."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle import receive
from filae_ops.agent.commands import submit
from filae_ops.agent.preflight import checks, preview
from filae_ops.agent.preflight.checks import Checked
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine, other
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import history, plan
from filae_ops.agent.transaction.plan import Plan


def deploy(
    machine: Machine,
    bundle: Path,
    *,
    operator: str = "",
    check: bool = False,
    as_json: bool = False,
    detach: bool = False,
    unsafe_logs: bool = False,
) -> int:
    """Deploy a bundle; the transaction outlives this process."""
    if unsafe_logs and detach:
        raise Refused("--unsafe-logs shows output at the end, and --detach waits for none", next_step="give one")
    who, where = _asked(machine, bundle, operator, check=check)
    found, said = _look(machine, where, check=check)
    if found.unchanged or check:
        receive.forget(machine, where)
        if said:
            return submit.say_check(said, as_json=as_json)
        version = found.contract.version
        return submit.say_unchanged(version, f"{version} is live and healthy: nothing to do", as_json=as_json)
    wanted = make_plan(machine, where, found, who, unsafe_logs=unsafe_logs)
    status = submit.carry_out(machine, wanted, as_json=as_json, detach=detach)
    if unsafe_logs:
        _show_unsafe(machine)
    return status


def make_plan(machine: Machine, bundle: Path, found: Checked, operator: str, *, unsafe_logs: bool) -> Plan:
    """Return what the transaction is to do."""
    live = found.live
    return Plan(
        id=plan.new_id(),
        kind="deploy",
        version=found.contract.version,
        colour=live.colour if live and found.mode == "one" else other(live.colour if live else None),
        bundle=str(bundle),
        sha256=_sha256(bundle),
        signer=found.signer,
        operator=operator,
        from_version=live.version if live else "",
        from_colour=live.colour if live else "",
        unsafe_logs=unsafe_logs,
        mode=found.mode,
        stall=history.stall(machine) if found.mode == "one" else None,
    )


def _asked(machine: Machine, bundle: Path, operator: str, *, check: bool) -> tuple[str, Path]:
    """Return who asks, and the bundle where only root writes; one that was received and is refused does not stay."""
    try:
        who = submit.operator(operator)
        submit.nobody_at_work(machine)
        return who, bundle if check else receive.take_in(machine, bundle)
    except Refused:
        receive.forget(machine, bundle)
        raise


def _look(machine: Machine, where: Path, *, check: bool) -> tuple[Checked, dict[str, Any]]:
    """Return what preflight finds, and its outline; a bundle that was taken in and is refused does not stay."""
    try:
        found = checks.check(machine, where)
        return found, preview.outline(machine, where, found) if check and not found.unchanged else {}
    except (Refused, Failed):
        receive.forget(machine, where)
        raise


def _show_unsafe(machine: Machine) -> None:
    path = machine.layout.private / "unsafe.log"
    if path.is_file():
        sys.stderr.write(path.read_text(errors="replace"))
        path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
