"""`filae-ops requirements list|show`: what each party is held to, where that was read, and what proves it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Command, Json, Language, LanguageName, OwnerName, among
from filae_ops.console import out, print_json, say
from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from filae_ops.language import Lang
    from filae_ops.register.model import Requirement

app = typer.Typer(help="What each party is held to, and what proves it.", no_args_is_help=True)


def _themes() -> Iterable[str]:
    from filae_ops.register.lookup import themes

    return themes()


def _ids() -> Iterable[str]:
    from filae_ops.register.lookup import requirements

    return requirements()


class SeverityName(StrEnum):
    """What a failure means."""

    BLOCK = "block"
    MAJOR = "major"
    WARN = "warn"
    INFO = "info"
    ASK_LEGAL = "ask_legal"
    CLAIM_INVALID = "claim_invalid"
    VERDICT_NOT_IMMUNE = "verdict_not_immune"


@app.command("list", cls=Command)
def list_(
    theme: Annotated[
        str | None,
        typer.Option(metavar="THEME", autocompletion=among(_themes), help="First part of the ids, such as HDS."),
    ] = None,
    owner: Annotated[
        OwnerName | None, typer.Option(metavar="OWNER", help=f"Who answers: {', '.join(OwnerName)}.")
    ] = None,
    severity: Annotated[
        SeverityName | None, typer.Option(metavar="SEVERITY", help=f"What a failure means: {', '.join(SeverityName)}.")
    ] = None,
    language: Language = LanguageName.FR,
    as_json: Json = False,
) -> None:
    """List the requirements that a review and a verification judge, theme by theme."""
    from filae_ops.register.lookup import requirements
    from filae_ops.report.document.rendering import words
    from filae_ops.report.requirement import brief

    wanted = None if theme is None else _theme(theme)
    found = [
        each for each in requirements().values()
        if wanted in (None, each.theme) and owner in (None, each.owner) and severity in (None, each.severity)
    ]  # fmt: skip
    if as_json:
        print_json([brief(each, language.lang) for each in found])
        return
    say_all = words("requirements", language.lang)
    _show_list(found, language.lang)
    say(say_all["count"].format(count=len(found)) if found else say_all["none"])


@app.command("show", cls=Command)
def show(
    name: Annotated[
        str,
        typer.Argument(metavar="ID", autocompletion=among(_ids), help="A requirement, such as NET-04."),
    ],
    language: Language = LanguageName.FR,
    as_json: Json = False,
) -> None:
    """Explain one requirement: rule, who answers, when it applies, what proves it, where it was read."""
    from filae_ops.language import typography
    from filae_ops.register.lookup import requirement
    from filae_ops.report.requirement import document, rows

    each = requirement(name)
    if as_json:
        print_json(document(each, language.lang))
        return
    title = each.title_en if language.lang == "en" else each.title_fr
    out.print(f"{each.id}  {typography(title, language.lang)}", style="bold", soft_wrap=True)
    for line in _lines(rows(each, language.lang), out.width):
        out.print(line, soft_wrap=True)


def _lines(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Wrap texts beside their labels; spaces that French does not break stay whole, and so do addresses."""
    from textwrap import wrap

    margin = max(len(label) for label, _ in rows) + 2
    last = ""
    for label, text in rows:
        for line in wrap(text, max(width - margin, 30), break_long_words=False, break_on_hyphens=False):
            yield f"{label if label != last else '':<{margin}}{line}"
            last = label


def _show_list(found: Iterable[Requirement], lang: Lang) -> None:
    """Print one table by theme, within 80 columns."""
    from rich.table import Table

    from filae_ops.language import typography
    from filae_ops.register.lookup import themes
    from filae_ops.report.document.rendering import words
    from filae_ops.report.requirement import summary

    kept = list(found)
    for theme in themes().values():
        mine = [each for each in kept if each.theme == theme.id]
        if not mine:
            continue
        title = f"{theme.id}  {theme.en if lang == 'en' else theme.fr}"
        out.print(f"\n{typography(title, lang)}", style="bold")
        table = Table(*words("requirements", lang)["headers"], box=None, padding=(0, 2, 0, 0))
        for column, width in zip(table.columns, (8, 12, 11, None, 9), strict=True):
            column.width = width
        for each in mine:
            table.add_row(*summary(each, lang))
        out.print(table)


def _theme(name: str) -> str:
    from filae_ops.register.lookup import themes

    if name.upper() not in themes():
        raise OpsError(
            f"no theme {name!r} in the register", next_step=f"name one of: {', '.join(themes())}", exit_code=2
        )
    return name.upper()
