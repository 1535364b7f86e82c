"""`filae-ops logs`: the application's own logs, over SSH, for as long as somebody reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Key, Operator, targets_of
from filae_ops.console import say, write
from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from filae_ops.remote.rollout import Target


def logs(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    unit: Annotated[str, typer.Option(metavar="PROCESS", help="web, a worker, a timer, migrate; default: all.")] = "",
    number: Annotated[int, typer.Option("-n", metavar="N", min=0, help="How many past lines.")] = 50,
    host: Annotated[str | None, typer.Option(metavar="NAME", help="One machine of several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """Show what the application itself writes. It may hold patients' data; nothing of it is kept."""
    from filae_ops.agent.commands.logs import WARNING

    todo = chosen(targets_of(context), host, follow=follow)
    say(f"filae-ops: {WARNING}")
    for target in todo:
        _one(target, user, key, _words(unit, number, follow, as_json), several=len(todo) > 1, as_json=as_json)


def chosen(todo: list[Target], host: str | None, *, follow: bool) -> list[Target]:
    """Return the machines that are meant; only one can be followed."""
    names = ", ".join(target.label for target in todo)
    found = [target for target in todo if host in (None, target.label, target.host.name)]
    if not found or (follow and len(found) > 1):
        what = f"no machine {host!r}" if not found else f"{len(found)} machines"
        raise OpsError(f"{what}: the inventory has {names}", next_step="name one with --host", exit_code=2)
    return found


def _words(unit: str, number: int, follow: bool, as_json: bool) -> list[str]:
    # `--attached`: the machine's journalctl ends when this end is no longer there, however it went.
    words = ["logs", "--attached", "-n", str(number), *(["--unit", unit] if unit else [])]
    return [*words, *(["--follow"] if follow else []), *(["--json"] if as_json else [])]


def _one(target: Target, user: str | None, key: Path | None, words: list[str], *, several: bool, as_json: bool) -> None:
    from filae_ops.remote.connection import connect
    from filae_ops.remote.filaectl import AGENT, unanswered, understood
    from filae_ops.remote.known_messages import lines as reasons
    from filae_ops.remote.known_messages import together
    from filae_ops.remote.ssh import Login

    def show(line: str) -> None:
        if several:
            line = json.dumps({"host": target.label, **json.loads(line)}) if as_json else f"{target.label}  {line}"
        write(f"{line}\n")

    with understood(target.label), connect(target.host, Login(user, key)) as remote:
        answer = remote.follow([*AGENT, *words], show)
    if answer.status < 0:
        raise OpsError(f"{target.label}: the connection was lost", owner="dsi", next_step="run the same command again")
    if answer.status != 0:
        if problem := unanswered(answer.stderr, target.label):
            raise problem
        found = reasons(answer.stderr.strip() or "no word of why", "filaectl logs")
        raise together([each._replace(message=f"{target.label}: {each.message}") for each in found])
