"""The command line of filaectl, and its one error boundary."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from filae_ops.agent.errors import Refused
from filae_ops.agent.layout import Layout

if TYPE_CHECKING:
    from filae_ops.agent.machine import Machine

UNPRIVILEGED = ("exec", "_store")


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command."""
    top = argparse.ArgumentParser(prog="filaectl", description="Filaé's agent on this machine.", allow_abbrev=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str = "", *, as_json: bool = True) -> argparse.ArgumentParser:
        if text:
            made = commands.add_parser(name, allow_abbrev=False, help=text, description=text)
        else:
            made = commands.add_parser(name, allow_abbrev=False)
        if as_json:
            made.add_argument("--json", action="store_true", help="print JSON")
        return made

    deploying = add("deploy", "put a signed release bundle into service")
    deploying.add_argument("bundle", type=Path)
    deploying.add_argument(
        "--unsafe-logs", action="store_true", help="show output of the application, patients' data or not"
    )
    back = add("rollback", "put a kept release back into service; no data is restored")
    back.add_argument("version", nargs="?", default="", help="which one (the release live before)")
    again = add("refresh", "after updates of Debian's packages: start the live release again with them")
    again.add_argument("--patient", action="store_true", help="wait for dpkg and for the lock (the machine's own unit)")
    for made in (deploying, back, again):
        _starting(made)
    add("receive", "store a bundle that comes on stdin, and print its path")
    add("status", "what runs, and how the last transaction went")
    add("releases", "what is kept, and what of it a rollback may put back")
    journal = add("journal", "the last events")
    journal.add_argument("-n", type=int, default=50, metavar="COUNT", help="how many (50)")
    add("attach", "follow the transaction that runs")
    _logging(add("logs", "what the application itself wrote; it may hold patients' data"))
    again = add("recover", "finish or undo a transaction that was cut", as_json=False)
    again.add_argument("--retry", action="store_true", help="also after three failed tries")
    given = add("receipt", "record that a backup or a snapshot of this machine was taken")
    given.add_argument("--kind", choices=("backup", "snapshot"), required=True)
    given.add_argument("--at", default="", metavar="TIME", help="ISO 8601, with its offset (now)")
    _closing(add("maintenance", "close the application behind a page, open it again, or say which it is"))
    add("observe", "prove the live release: health, schema, file store, round trip, attachments")
    _internal(add)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a refusal is one message, and its status 1."""
    options = parser().parse_args(argv)
    as_json = getattr(options, "json", False)
    try:
        if options.command not in UNPRIVILEGED and os.geteuid() != 0:
            raise Refused("filaectl changes the machine: it needs root", next_step=f"sudo filaectl {options.command}")
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


def _internal(add: Callable[..., argparse.ArgumentParser]) -> None:
    launched = add("exec", "become a process of a release (used by the units)", as_json=False)
    launched.add_argument("process", nargs="?", default="", help="its name, else the instance's first part")
    launched.add_argument("--instance", default="")
    for hidden in ("_transaction", "_recover"):
        add(hidden, as_json=False).add_argument("name")
    add("_replaceable", as_json=False)
    add("_relock", as_json=False).add_argument("instance")
    add("_store", as_json=False).add_argument("paths", nargs="+")


def _starting(made: argparse.ArgumentParser) -> None:
    made.add_argument("--operator", default="", metavar="NAME", help="who asks (the sudo user)")
    made.add_argument("--check", action="store_true", help="say what would happen, change nothing")
    made.add_argument("--detach", action="store_true", help="return once the transaction has started")


def _logging(made: argparse.ArgumentParser) -> None:
    made.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    made.add_argument("-n", type=int, default=50, metavar="COUNT", help="how many past lines (50)")
    made.add_argument("--unit", default="", metavar="PROCESS", help="web, a worker, a timer, migrate (all)")
    made.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)


def _closing(made: argparse.ArgumentParser) -> None:
    made.add_argument("word", nargs="?", choices=("on", "off"), metavar="on|off")
    made.add_argument("--message", choices=("-",), help="the page's text, on standard input: plain UTF-8, 64 KiB")
    made.add_argument("--until", default="", metavar="TIME", help="ends by itself then: HH:MM, or ISO 8601")
    made.add_argument("--ended", action="store_true", help=argparse.SUPPRESS)


def _run(options: argparse.Namespace) -> int:
    """Import only what the command needs: the launcher must start fast."""
    if options.command == "exec":
        from filae_ops.agent import launch

        launch.become(Layout(), options.process, options.instance)
        return 1
    if options.command == "_store":
        from filae_ops.agent import proof

        proof.write_and_read(options.paths)
        return 0
    os.umask(0o022)
    if options.command == "_relock":
        from filae_ops.agent import stale

        return stale.before_start(Layout(), options.instance, os.environ)
    return _command(options)


def _command(options: argparse.Namespace) -> int:
    from filae_ops.agent.run import Failed

    try:
        return _known(options)
    except Failed as exc:  # one of the system's tools, before any transaction: PostgreSQL is stopped, a disk is full
        raise Refused(str(exc), next_step=exc.next_step or "systemctl --failed") from exc


def _known(options: argparse.Namespace) -> int:
    from filae_ops.agent import attach, receive, recover, status
    from filae_ops.agent.machine import Machine

    machine = Machine()
    match options.command:
        case "deploy" | "rollback" | "refresh":
            return _transaction(machine, options)
        case "receive":
            path = receive.receive(machine, sys.stdin.buffer)
            print(json.dumps({"path": str(path)}) if options.json else path)
            return 0
        case "status":
            return status.print_status(machine, as_json=options.json)
        case "releases":
            from filae_ops.agent import kept

            return kept.print_releases(machine, as_json=options.json)
        case "journal":
            return status.print_journal(machine, as_json=options.json, number=options.n)
        case "logs":
            from filae_ops.agent import logs

            return logs.logs(
                options.unit, options.n, follow=options.follow, attached=options.attached, as_json=options.json
            )
        case "attach":
            return attach.attach(machine, as_json=options.json)
        case "recover":
            return recover.recover(machine, retry=options.retry)
        case "receipt":
            return status.receipt(machine, options.kind, options.at, as_json=options.json)
        case "maintenance":
            from filae_ops.agent import ask, maintenance

            return maintenance.command(
                machine, options.word or "", ask.operator(""), until=options.until, message=bool(options.message),
                ended=options.ended, as_json=options.json,
            )  # fmt: skip
        case "observe":
            return status.observe(machine, as_json=options.json)
    return _inner(machine, options)


def _transaction(machine: Machine, options: argparse.Namespace) -> int:
    from filae_ops.agent import deploy, refresh, rollback

    common = {name: getattr(options, name) for name in ("operator", "check", "detach")} | {"as_json": options.json}
    if options.command == "deploy":
        return deploy.deploy(machine, options.bundle, unsafe_logs=options.unsafe_logs, **common)
    if options.command == "rollback":
        return rollback.rollback(machine, options.version, **common)
    return refresh.refresh(machine, patient=options.patient, **common)


def _inner(machine: Machine, options: argparse.Namespace) -> int:
    from filae_ops.agent import journal as journals
    from filae_ops.agent import lock, transaction

    if options.command == "_replaceable":
        cut = journals.open_transaction(journals.of_machine(machine.layout.journal).read())
        if journals.outcome(cut) != "gave-up":  # nothing runs then, and another agent may be what is missing
            lock.refuse_open(cut)
        return 0
    work = transaction.perform if options.command == "_transaction" else transaction.recover
    return work(machine, options.name)


if __name__ == "__main__":
    sys.exit(main())
