"""`filaectl deploy`: preflight, the request, the transaction's unit, and the events until its end."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from filae_ops.agent import attach, lock, plan, preflight, receive, steps, units
from filae_ops.agent import journal as journals
from filae_ops.agent.errors import Refused
from filae_ops.agent.machine import Machine, other
from filae_ops.agent.plan import Plan
from filae_ops.agent.preflight import MIB, Checked

_OPERATOR = re.compile(r"[\w.@-]{1,64}")


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
    who = _operator(operator)
    _nobody_at_work(machine)
    where = bundle if check else receive.take_in(machine, bundle)
    try:
        found = preflight.check(machine, where)
    except Refused:
        receive.forget(machine, where)
        raise
    if found.unchanged or check:
        receive.forget(machine, where)
        return _say_unchanged(found, as_json) if found.unchanged else _say_check(found, as_json)
    wanted = make_plan(machine, where, found, who, unsafe_logs=unsafe_logs)
    journal = machine.layout.journal
    offset = journal.stat().st_size if journal.exists() else 0
    start(machine, wanted)
    if detach:
        print(json.dumps({"event": "started", "tx": wanted.id}) if as_json else f"started {wanted.id}")
        return 0
    status = attach.follow(machine, wanted.id, as_json=as_json, offset=offset)
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
        colour=other(live.colour if live else None),
        bundle=str(bundle),
        sha256=_sha256(bundle),
        signer=found.signer,
        operator=operator,
        from_version=live.version if live else "",
        from_colour=live.colour if live else "",
        unsafe_logs=unsafe_logs,
    )


def start(machine: Machine, wanted: Plan) -> None:
    """Start the transaction's unit; its name is the lock."""
    plan.save(machine, wanted)
    result = lock.take(machine, units.transaction_argv(wanted.id, wanted.description), patience=5)
    if result.status != 0:
        raise Refused(f"the transaction could not be started: {result.err.strip()[:300]}", next_step="systemctl status")


def outline(found: Checked) -> dict[str, Any]:
    """Return what a deploy would do, for people and programs."""
    live, contract = found.live, found.contract
    migrate = contract.get("migrate")
    return {
        "event": "check",
        "from": live.version if live else None,
        "to": contract.version,
        "signer": found.signer,
        "colour": other(live.colour if live else None),
        "steps": [step.name for step in steps.DEPLOY],
        "packages": list(found.packages),
        "migration": {k: migrate.get(k) for k in ("schema_version", "kind")} if migrate else None,
        "setup": live is None and bool(contract.get("setup")),
        "disk_mib": {"needed": found.disk_needed // MIB, "free": found.disk_free // MIB},
        "memory_mib": {"needed": contract.memory // MIB, "available": found.memory_free // MIB},
    }


def _say_check(found: Checked, as_json: bool) -> int:
    said = outline(found)
    if as_json:
        print(json.dumps(said, ensure_ascii=False))
        return 0
    kind = said["migration"]
    lines = [
        f"would deploy {said['from'] or 'nothing'} -> {said['to']} on {said['colour']}",
        f"  signed by: {said['signer']}",
        f"  packages to install: {', '.join(said['packages']) or 'none'}",
        f"  migration: {kind['kind'] or 'of no stated kind'}, to schema {kind['schema_version']}" if kind
        else "  migration: none",
        f"  first setup: {'yes' if said['setup'] else 'no'}",
        f"  disk: {said['disk_mib']['needed']} MiB needed, {said['disk_mib']['free']} free",
        f"  memory: {said['memory_mib']['needed']} MiB needed, {said['memory_mib']['available']} available",
        f"  steps: {', '.join(said['steps'])}",
        "nothing was changed",
    ]  # fmt: skip
    print("\n".join(lines))
    return 0


def _say_unchanged(found: Checked, as_json: bool) -> int:
    version = found.contract.version
    print(
        json.dumps({"event": "unchanged", "version": version})
        if as_json
        else f"{version} is live and healthy: nothing to do"
    )
    return 0


def _nobody_at_work(machine: Machine) -> None:
    if held := lock.holder(machine):
        raise lock.refused(held)
    lock.refuse_open(journals.open_transaction(journals.of_machine(machine.layout.journal).read()))


def _operator(given: str) -> str:
    name = given or os.environ.get("SUDO_USER") or getpass.getuser()
    if not _OPERATOR.fullmatch(name):
        raise Refused(f"--operator {name[:80]!r} is not a name", next_step="give letters, digits and . _ - @ only")
    return name


def _show_unsafe(machine: Machine) -> None:
    path = machine.layout.private / "unsafe.log"
    if path.is_file():
        sys.stderr.write(path.read_text(errors="replace"))
        path.unlink()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
