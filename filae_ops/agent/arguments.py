"""The words that filaectl understands."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Add = Callable[..., argparse.ArgumentParser]


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

    _transactions(add)
    _asking(add)
    _recording(add)
    _internal(add)
    return top


def _transactions(add: Add) -> None:
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
        made.add_argument("--operator", default="", metavar="NAME", help="who asks (the sudo user)")
        made.add_argument("--check", action="store_true", help="say what would happen, change nothing")
        made.add_argument("--detach", action="store_true", help="return once the transaction has started")
    cut = add("recover", "finish or undo a transaction that was cut", as_json=False)
    cut.add_argument("--retry", action="store_true", help="also after three failed tries")


def _asking(add: Add) -> None:
    add("status", "what runs, and how the last transaction went")
    add("releases", "what is kept, and what of it a rollback may put back")
    journal = add("journal", "the last events")
    journal.add_argument("-n", type=int, default=50, metavar="COUNT", help="how many (50)")
    add("attach", "follow the transaction that runs")
    logs = add("logs", "what the application itself wrote; it may hold patients' data")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    logs.add_argument("-n", type=int, default=50, metavar="COUNT", help="how many past lines (50)")
    logs.add_argument("--unit", default="", metavar="PROCESS", help="web, a worker, a timer, migrate (all)")
    logs.add_argument("--attached", action="store_true", help=argparse.SUPPRESS)
    add("observe", "prove the live release: health, schema, file store, round trip, attachments")


def _recording(add: Add) -> None:
    add("receive", "store a bundle that comes on stdin, and print its path")
    given = add("receipt", "record that a backup or a snapshot of this machine was taken")
    given.add_argument("--kind", choices=("backup", "snapshot"), required=True)
    given.add_argument("--at", default="", metavar="TIME", help="ISO 8601, with its offset (now)")
    page = add("maintenance", "close the application behind a page, open it again, or say which it is")
    page.add_argument("word", nargs="?", choices=("on", "off"), metavar="on|off")
    page.add_argument("--message", choices=("-",), help="the page's text, on standard input: plain UTF-8, 64 KiB")
    page.add_argument("--until", default="", metavar="TIME", help="ends by itself then: HH:MM, or ISO 8601")
    page.add_argument("--ended", action="store_true", help=argparse.SUPPRESS)


def _internal(add: Add) -> None:
    launched = add("exec", "run a process of a release to its end (used by the units)", as_json=False)
    launched.add_argument("process", nargs="?", default="", help="its name, else the instance's first part")
    launched.add_argument("--instance", default="")
    for hidden in ("_transaction", "_recover"):
        add(hidden, as_json=False).add_argument("name")
    add("_replaceable", as_json=False)
    add("_placed", as_json=False)
    add("_relock", as_json=False).add_argument("instance")
    add("_store", as_json=False).add_argument("paths", nargs="+")
