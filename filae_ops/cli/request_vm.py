"""`filae-ops request-vm`: the sheet with which a provider asks a DSI for the machine."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Html, Language, LanguageName, Markdown, inventory_of
from filae_ops.console import Text, out, say
from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from filae_ops.inventory.reading.draft import Draft
    from filae_ops.language import Lang
    from filae_ops.report.document.blocks import Cell, Table
    from filae_ops.report.request.sheet import Sheet

_ACCOUNT = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def request_vm(
    context: typer.Context,
    html: Html = None,
    markdown: Markdown = None,
    cloud_init: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a cloud-init user-data that gives the first access.", dir_okay=False),
    ] = None,
    account: Annotated[
        str, typer.Option(metavar="NAME", help="The first account, that the DSI delivers; later --bootstrap-user.")
    ] = "debian",
    machine: Annotated[
        str | None, typer.Option(metavar="NAME", help="The machine of --cloud-init, when the inventory has several.")
    ] = None,
    language: Language = LanguageName.FR,
) -> None:
    """Ask a DSI for the machine. Size, disks, system, network, flows, backups, accounts, who does what.

    Works on an inventory that is still to fill in: what the DSI knows is left for it to complete.
    """
    from filae_ops.inventory.reading.draft import draft
    from filae_ops.report.document.rendering import write_document
    from filae_ops.report.request.cloud_init import user_data
    from filae_ops.report.request.sheet import as_html, as_markdown, sheet

    if not _ACCOUNT.fullmatch(account) or account == "root":
        raise OpsError(
            f"--account {account!r} is not a Linux user name other than root",
            next_step="give the account that the DSI delivers, such as debian",
            exit_code=2,
        )
    read, today = draft(inventory_of(context)), dt.date.today()
    made = sheet(read, language.lang, account=account, day=today)
    wanted = [(html, as_html(made))] if html else []
    wanted += [(markdown, as_markdown(made))] if markdown else []
    wanted += [(cloud_init, user_data(read, chosen(read, machine), account, today))] if cloud_init else []
    for path, text in wanted:
        write_document(path, text)
        say(f"wrote {path}")
    if not wanted:
        show(made)


def chosen(read: Draft, name: str | None) -> str:
    """Return the machine named, or the only one."""
    names = list(read.get("hosts", {}))
    if name is None and len(names) == 1:
        return str(names[0])
    if name not in names:
        what = f"{name!r} is not a machine of the inventory" if name else f"the inventory has {len(names)} machines"
        raise OpsError(what, next_step=f"--machine NAME, one of: {', '.join(names)}", exit_code=2)
    return str(name)


def show(made: Sheet) -> None:
    """Print the sheet; the flow matrix by its main columns."""
    from filae_ops.report.document.blocks import Bullets, Facts, Heading, Table, Text
    from filae_ops.report.document.rendering import words

    title = words("request", made.lang)["title"]
    _line(f"{title} · {made.site} · {made.day}", made.lang, "bold")
    out.print(_grid(made.facts, (28, None), made.lang))
    _line(made.answers, made.lang)
    for number, section in enumerate(made.sections, 1):
        _line(f"\n{number}. {section.title}", made.lang, "bold")
        for block in section.blocks:
            if isinstance(block, Facts):
                out.print(_grid(block.rows, (28, None), made.lang))
            elif isinstance(block, Bullets):
                out.print(_grid([("-", item) for item in block.items], (1, None), made.lang))
            elif isinstance(block, Table):
                _table(block, made)
            elif isinstance(block, Text | Heading):
                _line(block.text, made.lang)


def _table(block: Table, made: Sheet) -> None:
    from filae_ops.cli.flows import table

    _line(block.caption, made.lang, "italic")
    if "wide" in block.kind:
        out.print(table([line for line in made.lines if not line.always], made.lang))
    elif block.rows:
        widths: list[int | None] = [max(6, int(78 * width // 100)) for width in block.widths[:-1]]
        out.print(_grid(block.rows, (*widths, None), made.lang, block.headers))
    else:
        _line(block.empty, made.lang)


def _line(text: str, lang: Lang, style: str = "") -> None:
    from filae_ops.language import typography

    out.print(Text(typography(text, lang), style))


def _grid(
    rows: Iterable[Sequence[Cell]], widths: tuple[int | None, ...], lang: Lang, headers: tuple[str, ...] = ()
) -> RichTable:
    from rich.table import Table

    from filae_ops.language import typography
    from filae_ops.report.document.blocks import plain

    made = Table(box=None, pad_edge=False, show_edge=False, show_header=bool(headers))
    for title, width in zip(headers or ("",) * len(widths), widths, strict=True):
        made.add_column(title, width=width, ratio=None if width else 1, overflow="fold")
    for row in rows:
        made.add_row(*(Text(typography(plain(cell), lang)) for cell in row))
    return made
