"""The command line of filaectl, its one error boundary, and what keeps all that it prints plain text."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from filae_ops.agent import caller
from filae_ops.agent.arguments import parser
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.plain_text import guard

if TYPE_CHECKING:
    from filae_ops.agent.system.machine import Machine

UNPRIVILEGED = ("exec", "_store")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a refusal is one message, and its status 1, as is that of a bug, which keeps its traceback."""
    guard()
    options = parser().parse_args(argv)
    as_json = getattr(options, "json", False)
    try:
        if options.command not in UNPRIVILEGED and os.geteuid() != 0:
            raise Refused("filaectl changes the machine: it needs root", next_step=f"sudo filaectl {options.command}")
        if options.command not in UNPRIVILEGED:
            _in_the_machines_zone()
            if not options.command.startswith("_"):  # those are the units' own
                caller.forget()
        return _run(options)
    except Refused as exc:
        said = {"event": "refused", "message": exc.message, "owner": exc.owner, "next_step": exc.next_step}
        if as_json:
            print(json.dumps(said, ensure_ascii=False))
        else:
            print(f"filaectl: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception:
        import traceback

        sys.stderr.write(traceback.format_exc())  # not left to Python, whose own colours would be spelt out
        return 1


def _in_the_machines_zone() -> None:
    """Forget the time zone of whoever asks, which sudo lets through: a time without a zone is the machine's."""
    os.environ.pop("TZ", None)
    time.tzset()


def _run(options: argparse.Namespace) -> int:
    """Import only what the command needs: the launcher must start fast."""
    if options.command == "exec":
        from filae_ops.agent.runtime import launcher

        return launcher.run(Layout(), options.process, options.instance)
    if options.command == "_store":
        from filae_ops.agent.frontdoor import proof

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else the first process of a namespace ignores it
        proof.write_and_read(options.paths)
        return 0
    os.umask(0o022)
    if options.command == "_relock":
        from filae_ops.agent.release import at_start

        return at_start.before_start(Layout(), options.instance, os.environ)
    return _command(options)


def _command(options: argparse.Namespace) -> int:
    from filae_ops.agent.system.process import Failed

    try:
        return _known(options)
    except Failed as exc:  # one of the system's tools, before any transaction: PostgreSQL is stopped, a disk is full
        raise Refused(str(exc), next_step=exc.next_step or "systemctl --failed") from exc


def _known(options: argparse.Namespace) -> int:
    from filae_ops.agent.system.machine import Machine

    machine = Machine()
    if options.command in ("deploy", "rollback", "refresh"):
        return _transaction(machine, options)
    if options.command in ("status", "releases", "journal", "logs", "attach", "observe"):
        return _answer(machine, options)
    return _inner(machine, options) if options.command.startswith("_") else _record(machine, options)


def _transaction(machine: Machine, options: argparse.Namespace) -> int:
    from filae_ops.agent.commands import deploy, refresh, rollback

    common = {name: getattr(options, name) for name in ("operator", "check", "detach")} | {"as_json": options.json}
    if options.command == "deploy":
        return deploy.deploy(machine, options.bundle, unsafe_logs=options.unsafe_logs, **common)
    if options.command == "rollback":
        return rollback.rollback(machine, options.version, **common)
    return refresh.refresh(machine, patient=options.patient, **common)


def _answer(machine: Machine, options: argparse.Namespace) -> int:
    from filae_ops.agent.commands import attach, logs, observe, releases, status

    match options.command:
        case "releases":
            return releases.print_releases(machine, as_json=options.json)
        case "journal":
            return status.print_journal(machine, as_json=options.json, number=options.n)
        case "logs":
            return logs.logs(
                options.unit, options.n, follow=options.follow, attached=options.attached, as_json=options.json
            )
        case "attach":
            return attach.attach(machine, as_json=options.json)
        case "observe":
            return observe.observe(machine, as_json=options.json)
    return status.print_status(machine, as_json=options.json)


def _record(machine: Machine, options: argparse.Namespace) -> int:
    from filae_ops.agent.bundle import receive
    from filae_ops.agent.commands import maintenance, receipt, recover, submit

    if options.command == "receive":
        path = receive.receive(machine, sys.stdin.buffer)
        print(json.dumps({"path": str(path)}) if options.json else path)
        return 0
    if options.command == "recover":
        return recover.recover(machine, retry=options.retry)
    if options.command == "receipt":
        return receipt.receipt(machine, options.kind, options.at, as_json=options.json)
    return maintenance.command(
        machine, options.word or "", submit.operator(""), until=options.until, message=bool(options.message),
        ended=options.ended, as_json=options.json,
    )  # fmt: skip


def _inner(machine: Machine, options: argparse.Namespace) -> int:
    from filae_ops.agent.commands import perform, placed
    from filae_ops.agent.transaction import journal as journals
    from filae_ops.agent.transaction import lock

    if options.command == "_replaceable":
        cut = journals.open_transaction(journals.of_machine(machine.layout.journal).read())
        if journals.outcome(cut) != "gave-up":  # nothing runs then, and another agent may be what is missing
            lock.refuse_open(cut)
        return 0
    if options.command == "_placed":
        return placed.print_placed(machine)
    work = perform.perform if options.command == "_transaction" else perform.recover
    return work(machine, options.name)


if __name__ == "__main__":
    sys.exit(main())
