"""What runs inside the transaction's unit: a request, or a try to recover one that was cut."""

from __future__ import annotations

import contextlib
import signal
from functools import partial
from types import FrameType

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.database import postgresql
from filae_ops.agent.frontdoor import nginx, proof, site_include
from filae_ops.agent.release import store
from filae_ops.agent.steps import catalogue
from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import engine, lock
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan


def perform(machine: Machine, request: str) -> int:
    """Carry out a request; 0 when the journal says how it ended, whichever way."""
    _die_on_stop()
    journal = journals.of_machine(machine.layout.journal, echo=True)
    write, plan = partial(journal.write, tx=request), None
    # Output that nobody came to see is not shown as this transaction's.
    durable.remove(machine.layout.private / "unsafe.log")
    try:
        plan = plans.load(machine, request)
        _still_true(machine, plan, journal)
        todo = catalogue.steps_of(machine, plan, write)
    except Refused as exc:
        write("refused", **engine.describe(exc))
        if plan is not None and request not in journals.transactions(journal.read()):
            plans.forget(machine, plan)
        return 0
    write("begin", **plans.as_fields(plan), steps=[step.name for step in todo])
    outcome = engine.run(todo, write, stopping=partial(_stopping, machine))
    return finish(machine, journal, plan, outcome)


def recover(machine: Machine, name: str) -> int:
    """Make one try at a transaction that was cut; 0 when the journal says how it ended."""
    _die_on_stop()
    journal = journals.of_machine(machine.layout.journal, echo=True)
    cut = journals.open_transaction(journal.read())
    if not cut or cut[0]["tx"] != name:
        return 0
    write = partial(journal.write, tx=name)
    now = engine.situation(cut, journal.boot, journal.machine)
    plan = plans.from_mapping(cut[0])
    if now.tries >= engine.MAX_TRIES:
        write("gave-up", tries=now.tries, serving=_last_resort(machine, plan))
        return 0
    write("recover", attempt=now.tries + 1, because=now.reason)
    _end_leftovers(machine, name)
    todo, stopping = catalogue.steps_of(machine, plan, write), partial(_stopping, machine)
    outcome = engine.recover(todo, now, write, catalogue.PIVOT, stopping)
    return finish(machine, journal, plan, outcome)


def finish(machine: Machine, journal: Journal, plan: Plan, outcome: str) -> int:
    """Tidy after the end of a transaction; what cannot be tidied now is at the next one."""
    if outcome not in journals.TERMINAL:
        return 1
    plans.forget(machine, plan)
    plans.sweep(machine, journal.read())
    if outcome == "committed":
        try:
            live = machine.live()
            never = {plan.version, plan.from_version, live.version if live else ""}
            site_include.refresh(machine, without=store.surplus(machine, machine.config.keep_releases, never))
            gone = store.prune(machine, machine.config.keep_releases, never)
            journal.write("tidied", pruned=gone)
        except (OSError, Failed, Refused) as exc:
            journal.write("not-tidied", **engine.describe(exc))
    return 0


def _still_true(machine: Machine, plan: Plan, journal: Journal) -> None:
    """Refuse a request that was decided before something else happened."""
    events = journal.read()
    lock.refuse_open(journals.open_transaction(events))
    if plan.id in journals.transactions(events):
        raise Refused(f"request {plan.id} was carried out before", next_step="filaectl journal")
    live = machine.live()
    if (live.version if live else "", live.colour if live else "") != (plan.from_version, plan.from_colour):
        raise Refused(
            f"the live release is {live.version if live else 'none'}, and was {plan.from_version or 'none'} "
            "when this was asked",
            next_step="filaectl status, then deploy again",
        )


def _end_leftovers(machine: Machine, name: str) -> None:
    """End commands and database sessions of the dead transaction, and take a last-resort page back."""
    machine.runner.run(["systemctl", "stop", "filae-run-*.service"])
    with contextlib.suppress(Failed):
        postgresql.end_backends(machine)
    with contextlib.suppress(Failed):
        nginx.restore(machine, f"{name}.stuck")
        durable.remove(nginx.saved(machine, f"{name}.stuck"))


def _last_resort(machine: Machine, plan: Plan) -> str:
    """Leave the release that nginx leads to when it is whole; else put the maintenance page at the front door."""
    live = machine.live()
    if live is not None:
        with contextlib.suppress(Exception):
            # After a power cut it may still be starting; nginx answers with its page of 502 meanwhile.
            contract, patience = of_release(machine.layout.release(live.version)), machine.config.timings["start"]
            if not proof.front_door(machine, contract, seconds=patience):
                return live.version
    try:
        nginx.save(machine, f"{plan.id}.stuck")
        nginx.put(machine, {"live.conf": nginx.MAINTENANCE})
    except (Failed, OSError) as exc:
        return f"neither a release nor the maintenance page ({exc})"
    return "maintenance page"


def _stopping(machine: Machine) -> bool:
    """Tell whether the machine goes down, or its systemd is gone already."""
    said = machine.runner.run(["systemctl", "is-system-running"]).out.strip()
    return said in ("stopping", "offline", "unknown", "")


def _die_on_stop() -> None:
    """Make a stop of the unit a failure, so that recovery starts."""

    def die(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, die)
