"""`filae-ops status`, `releases` and `journal`: what the agent answers, machine by machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer

from filae_ops.cli.options import Json, Key, Operator, targets_of
from filae_ops.console import out, print_json

Show = Callable[[Any], Sequence[str]]


def status(context: typer.Context, user: Operator = None, key: Key = None, as_json: Json = False) -> None:
    """Say what runs, and whether it is healthy. Also who deployed it, and how the last transaction went."""
    from filae_ops.agent.commands.status import lines

    _each(context, user, key, ["status"], as_json, lines)


def releases(context: typer.Context, user: Operator = None, key: Key = None, as_json: Json = False) -> None:
    """List the releases that the machine keeps. And which of them a rollback may put back."""
    from filae_ops.agent.commands.releases import lines

    _each(context, user, key, ["releases"], as_json, lines)


def journal(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many events.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the last events of the machine's transactions."""
    from filae_ops.agent.transaction.wording import line

    def lines(events: list[dict[str, Any]]) -> list[str]:
        texts = [text for event in events for text in line(event).splitlines()]
        return [part for text in texts for part in wrap(text, 80, subsequent_indent=" " * 13, break_on_hyphens=False)]

    _each(context, user, key, ["journal", "-n", str(number)], as_json, lines)


def _each(
    context: typer.Context, user: str | None, key: Path | None, words: list[str], as_json: bool, show: Show
) -> None:
    """Ask every machine; one machine gives its own document, several a map by name."""
    from filae_ops.remote.connection import connect
    from filae_ops.remote.filaectl import understood
    from filae_ops.remote.ssh import Login

    todo, documents = targets_of(context), {}
    for target in todo:
        with understood(target.label):
            with connect(target.host, Login(user, key)) as remote:
                documents[target.label] = answered(remote, words)
            text = "\n".join(show(documents[target.label]))
        if not as_json:
            out.print(f"{target.label}\n{text}\n" if len(todo) > 1 else text, soft_wrap=True)
    if as_json:
        print_json(next(iter(documents.values())) if len(documents) == 1 else documents)


def answered(remote: Any, words: Sequence[str], **options: Any) -> Any:
    """Return what the agent answers in JSON: a list for the journal; raise why it did not answer."""
    from filae_ops.remote.filaectl import ask
    from filae_ops.remote.known_messages import lines as reasons
    from filae_ops.remote.known_messages import together

    answer = ask(remote, *words, "--json", **options)
    if answer.status != 0:
        found = reasons(answer.stderr.strip() or "no word of why", f"filaectl {words[0]}")
        raise together([each._replace(message=f"{remote.host.name}: {each.message}") for each in found])
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    return lines if words[0] == "journal" else lines[0]
