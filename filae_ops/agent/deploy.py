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

from filae_ops.agent import attach, lock, outline, plan, preflight, receive, units
from filae_ops.agent import journal as journals
from filae_ops.agent.errors import Refused
from filae_ops.agent.machine import Machine, other
from filae_ops.agent.plan import Plan
from filae_ops.agent.preflight import Checked

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
        said = outline.outline(machine, where, found) if check and not found.unchanged else {}
    except Refused:
        receive.forget(machine, where)
        raise
    if found.unchanged or check:
        receive.forget(machine, where)
        return _say_unchanged(found, as_json) if found.unchanged else say_check(said, as_json=as_json)
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


def say_check(said: dict[str, Any], *, as_json: bool) -> int:
    """Print what would happen."""
    print(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(outline.words(said)))
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
