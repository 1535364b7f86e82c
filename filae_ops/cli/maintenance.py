"""`filae-ops maintenance on|off`: a page in the application's place, with the ward's own words."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Any

import typer

from filae_ops.cli.options import Command, Json, Key, Operator, targets_of
from filae_ops.console import out, print_json
from filae_ops.errors import OpsError

app = typer.Typer(help="A page in the application's place, while it is worked on.", no_args_is_help=True)
MAX_MESSAGE = 64 * 1024  # the agent's own limit


@app.command(cls=Command)
def on(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    message: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plain text for the page: the ward's paper procedure, a number to call.",
            dir_okay=False,
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends by itself: 22:00 there, or 2026-09-01T22:00+02:00.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the maintenance page to everyone. The application goes on behind it, and its health still answers."""
    text = read_message(message) if message else None
    words = ["maintenance", "on", *(["--message", "-"] if text is not None else [])]
    _each(context, user, key, [*words, *(["--until", until] if until else [])], text, as_json)


@app.command(cls=Command)
def off(context: typer.Context, user: Operator = None, key: Key = None, as_json: Json = False) -> None:
    """Show the application again."""
    _each(context, user, key, ["maintenance", "off"], None, as_json)


def read_message(path: Path) -> bytes:
    """Return a text of reasonable size, or refuse."""
    step = "give a plain text in UTF-8, of a page at most"
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_MESSAGE + 1)
        data.decode()
    except OSError as error:
        raise OpsError(f"--message {path}: {error.strerror}", next_step=step) from None
    except UnicodeDecodeError:
        raise OpsError(f"--message {path}: not a text in UTF-8", next_step=step) from None
    if len(data) > MAX_MESSAGE:
        raise OpsError(f"--message {path}: longer than {MAX_MESSAGE // 1024} KiB", next_step=step)
    return data


def _each(
    context: typer.Context, user: str | None, key: Path | None, words: list[str], text: bytes | None, as_json: bool
) -> None:
    from filae_ops.cli.status import answered
    from filae_ops.remote.connection import connect
    from filae_ops.remote.filaectl import understood
    from filae_ops.remote.ssh import Login

    documents: dict[str, Any] = {}
    for target in targets_of(context):
        with understood(target.label):
            with connect(target.host, Login(user, key)) as remote:
                found = answered(remote, words, stdin=None if text is None else io.BytesIO(text))
            text_shown = said(found)
        documents[target.label] = found
        if not as_json:
            out.print(f"{target.label}: {text_shown}", soft_wrap=True)
    if as_json:
        print_json(next(iter(documents.values())) if len(documents) == 1 else documents)


def said(found: dict[str, Any]) -> str:
    """Return what the agent answered, in words."""
    from filae_ops.agent.frontdoor.maintenance_page import describe

    return f"maintenance {describe(found['maintenance'])}"
