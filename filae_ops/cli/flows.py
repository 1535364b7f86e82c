"""`filae-ops flows`: the flow matrix that a DSI opens, from what makes the firewall's rules."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Html, Json, Language, LanguageName, inventory_of
from filae_ops.console import Text, out, print_json, say

if TYPE_CHECKING:
    from rich.table import Table

    from filae_ops.language import Lang
    from filae_ops.report.flows.matrix import Line


def flows(
    context: typer.Context,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it for a spreadsheet (French Excel).", dir_okay=False)
    ] = None,
    html: Html = None,
    language: Language = LanguageName.FR,
    as_json: Json = False,
) -> None:
    """Show every flow that is open, in and out. It is the DSI's matrix: what is not in it is refused by the firewall.

    It is made from what makes the firewall's rules; the terminal shows its main columns, the files all fifteen.
    """
    from filae_ops.inventory.reading.load import load
    from filae_ops.report.document.rendering import write_document
    from filae_ops.report.flows.flows_page import page
    from filae_ops.report.flows.matrix import as_csv, documents, lines_of

    inventory, lang = load(inventory_of(context), awaited=True), language.lang
    found = lines_of(inventory)
    for path, text in ((csv, as_csv), (html, None)):
        if path is not None:
            write_document(path, text(found, lang) if text else page(inventory, lang))
            say(f"wrote {path}")
    if as_json:
        print_json({"site": inventory.site.name, "flows": documents(found, lang)})
    elif csv is None and html is None:
        show(found, lang)


def show(found: list[Line], lang: Lang) -> None:
    """Print what fits 80 columns, then what is still to be documented."""
    from filae_ops.language import typography
    from filae_ops.report.document.rendering import words

    said = words("flows", lang)
    for always, title in ((False, said["declared"]), (True, said["always_open"])):
        out.print(title, style="bold")
        out.print(table([line for line in found if line.always is always], lang))
        out.print("")
    for text in (*left(found, lang), said["rest"]):
        # Not rich's: it breaks lines at the spaces that must not break.
        out.print(textwrap.fill(typography(text, lang), 80, subsequent_indent="  "), soft_wrap=True)


def left(found: list[Line], lang: Lang) -> list[str]:
    """Return what is still to be documented: one line for each set of columns, with the flows that lack them.

    An empty line ends it; nothing at all when every flow is documented.
    """
    from filae_ops.report.document.rendering import words

    said = words("flows", lang)
    lacking: dict[tuple[str, ...], list[str]] = {}
    for line in found:
        if line.missing and not line.always:
            lacking.setdefault(line.missing, []).append(line.number)
    if not lacking:
        return []
    colon = " : " if lang == "fr" else ": "
    columns = {names: ", ".join(said["columns"][name] for name in names) for names in lacking}
    return [said["left"], *(f"  {columns[names]}{colon}{', '.join(who)}" for names, who in lacking.items()), ""]


def table(found: list[Line], lang: Lang) -> Table:
    """Return number, direction, other end, protocol and port, and what passes."""
    from rich.table import Table

    from filae_ops.language import typography
    from filae_ops.report.document.rendering import words
    from filae_ops.report.flows.matrix import cells, ports_words

    said = words("flows", lang)
    made = Table(box=None, pad_edge=False, show_edge=False)
    for title, width in (("n°" if lang == "fr" else "no.", 3), (said["headers"][4], 8), (said["other"], 24)):
        made.add_column(title, width=width, overflow="fold")
    made.add_column(f"{said['headers'][5]}/{said['headers'][6]}", width=16, overflow="fold")
    made.add_column(said["what"], ratio=1, overflow="fold")
    for line in found:
        row = cells(line, lang)
        other = row[2] if line.direction == "in" else row[3]
        other = other.removesuffix(f" ({said['named']})").replace(", ", "\n")
        ports = "" if line.always and not line.ports else f" {ports_words(line, lang)}"
        words_ = (row[0], row[4], other, f"{row[5]}{ports}", row[1])
        made.add_row(*(Text(typography(word, lang)) for word in words_))
    return made
