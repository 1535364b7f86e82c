"""`filaectl refresh`: after an update of Debian's packages, the live release starts again with what is there now."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.commands import attach, placed, submit
from filae_ops.agent.preflight import capacity
from filae_ops.agent.release import apt, outdated
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.steps import catalogue
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import RECOVER
from filae_ops.agent.system.machine import Live, Machine, other
from filae_ops.agent.transaction import history, lock, plan
from filae_ops.agent.transaction import journal as journals

PATIENCE = 3600.0
POLL = 2.0


def refresh(
    machine: Machine,
    *,
    operator: str = "",
    check: bool = False,
    as_json: bool = False,
    detach: bool = False,
    patient: bool = False,
) -> int:
    """Start the live release again on the other colour, if what it runs with was updated, or what holds it altered.

    `patient` (the machine's own unit): wait for dpkg and for whoever holds the lock, and do not repeat a refresh
    that failed, or changed nothing, until packages change again; nor undo alterations before somebody saw them.
    """
    who = submit.operator(operator)
    if patient:
        wait_for_others(machine)
        revive(machine)
    # The journal's: nginx's include may be what was altered.
    committed = placed.committed(journals.of_machine(machine.layout.journal).read())
    live = committed or machine.live()
    why = outdated.reasons(machine, live) if live else []
    if committed and not patient and (paths := placed.altered(machine, committed)):
        why.append(f"not as the agent placed them: {', '.join(paths[:5])}{' …' if len(paths) > 5 else ''}")
    if live is None or not why:
        version = live.version if live else ""
        return submit.say_unchanged(version, "unchanged: all runs with what is installed", as_json=as_json)
    allowed(machine, why, patient=patient)
    contract = of_release(machine.layout.release(live.version))
    mode = capacity.mode(contract, capacity.memory_available(machine), contract)
    if check:
        return submit.say_check(said(machine, live, mode, why), as_json=as_json)
    request = plan.again("refresh", live, live.version, mode, who, history.stall(machine), why="; ".join(why))
    return submit.carry_out(machine, request, as_json=as_json, detach=detach)


def allowed(machine: Machine, why: list[str], *, patient: bool) -> None:
    """Refuse while somebody is at work, while packages change, and what failed already by itself."""
    submit.nobody_at_work(machine)
    if busy := apt.busy(machine):
        raise Refused(busy, next_step="wait for its end, or: dpkg --configure -a; the machine refreshes by itself then")
    if patient and (how := tried_already(machine)):
        raise Refused(
            f"the last refresh {how}, and no package changed since: {'; '.join(why)}",
            next_step="filaectl journal says why; filaectl refresh tries again",
        )


def said(machine: Machine, live: Live, mode: str, why: list[str]) -> dict[str, object]:
    """Return what a refresh would do, for people and programs."""
    return {
        "event": "check",
        "kind": "refresh",
        "from": live.version,
        "to": live.version,
        "colour": live.colour if mode == "one" else other(live.colour),
        "mode": mode,
        "stall_seconds": history.stall(machine) if mode == "one" else 0.0,
        "steps": catalogue.names("refresh", mode),
        "duration": history.duration(machine, "refresh"),
        "notes": {"because": "; ".join(why)},
    }


def wait_for_others(machine: Machine) -> None:
    """Wait until nobody installs packages nor changes the machine, twice in a row."""
    limit, quiet = time.monotonic() + PATIENCE, 0
    while quiet < 2:
        why = apt.busy(machine) or lock.holder(machine)
        quiet = 0 if why else quiet + 1
        if why and time.monotonic() > limit:
            raise Refused(f"waited for an hour: {why}", next_step="filaectl refresh, after its end")
        if quiet < 2:
            time.sleep(POLL)


def revive(machine: Machine) -> None:
    """Have a transaction recovered that was cut and that nobody recovers any more.

    The recovery ends when it cannot even start: a disk that is full, a provisioning that lasts.
    """
    cut = journals.open_transaction(journals.of_machine(machine.layout.journal).read())
    if cut and journals.outcome(cut) != "gave-up" and not attach.at_work(machine):
        unit_control.systemctl(machine, "start", "--no-block", RECOVER)


def tried_already(machine: Machine) -> str:
    """Return how the last refresh went, when dpkg changed nothing since it began: another would go the same way."""
    events = journals.of_machine(machine.layout.journal).read()
    tried = [some for some in journals.transactions(events).values() if some[0]["kind"] == "refresh"]
    if not tried:
        return ""
    began = datetime.fromisoformat(tried[-1][0]["time"]).timestamp()
    with contextlib.suppress(OSError):
        if (machine.layout.root / "var/lib/dpkg/status").stat().st_mtime >= began:
            return ""
    return "did not help" if journals.outcome(tried[-1]) == "committed" else "failed"
