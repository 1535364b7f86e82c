"""`filae-ops report`: documents to sign, made from what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Command, Key, Operator, inventory_of
from filae_ops.cli.review import Lang, LangName
from filae_ops.console import say
from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from filae_ops.report.minutes.saved_verification import Verification

app = typer.Typer(no_args_is_help=True, help="Documents to read and sign, made from what was measured.")
Page = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one page to read, print and sign.")]
Markdown = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Write the same in Markdown.")]
Saved = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A saved answer of `verify --json`; left out: verify now."),
]
SeenFrom = Annotated[
    Path | None,
    typer.Option("--seen-from", metavar="INVENTORY", help="Look at ports and flows from this inventory's machine."),
]


@app.command("verification", cls=Command)
def verification(
    context: typer.Context,
    html: Page = None,
    markdown: Markdown = None,
    lang: Lang = LangName.FR,
    saved: Saved = None,
    seen_from: SeenFrom = None,
    user: Operator = None,
    key: Key = None,
) -> None:
    """Write the minutes of a verification, to sign. Each rule: what is declared, what is found, where they disagree.

    It verifies the machines first, or takes a saved answer (--from), which needs no inventory. Changes no machine.
    """
    if html is None and markdown is None:
        raise OpsError(
            "no document was asked for", next_step="filae-ops report verification --html minutes.html", exit_code=2
        )
    from filae_ops.report.document.rendering import write_document
    from filae_ops.report.minutes import minutes_page as written
    from filae_ops.report.minutes.minutes import minutes

    found = _found(context, saved, seen_from, user, key)
    made = minutes(found, lang.value, saved=saved is not None)
    for path, make in ((html, written.html), (markdown, written.markdown)):
        if path is not None:
            write_document(path, make(made))
            say(f"wrote {path}")
    say(made.conclusion.title)


def _found(
    context: typer.Context, saved: Path | None, seen_from: Path | None, user: str | None, key: Path | None
) -> Verification:
    from filae_ops.remote.ssh import Login
    from filae_ops.report.minutes.saved_verification import read_saved
    from filae_ops.report.minutes.saved_verification import verification as checked
    from filae_ops.verification.verify import verify_inventory

    if saved is not None and (seen_from or user or key):
        raise OpsError(
            "--from takes a saved answer: --seen-from, --user and --key have nothing to do",
            next_step="leave them out, or leave out --from", exit_code=2,
        )  # fmt: skip
    if saved is not None:
        return read_saved(saved)
    report = verify_inventory(inventory_of(context), Login(user, key), seen_from=seen_from, say=say)
    return checked(report.document(), "the verification")
