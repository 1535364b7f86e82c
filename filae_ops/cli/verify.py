"""`filae-ops verify`: what holds, what does not, who must act."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Json, Key, Language, LanguageName, Operator, OwnerName, inventory_of
from filae_ops.console import Text, out, print_json, say
from filae_ops.language import typography
from filae_ops.report.document.rendering import words

if TYPE_CHECKING:
    from rich.table import Table

    from filae_ops.language import Lang
    from filae_ops.verification.results import Verdict
    from filae_ops.verification.verify import Report

RED_VERDICT = 3
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="INVENTORY", help="Look at ports and flows from this inventory's first machine."),
]
COLOURS = {"fail": "red", "not_run": "yellow", "pass": "green"}


def verify(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    seen_from: From = None,
    only: Annotated[
        OwnerName | None,
        typer.Option(metavar="OWNER", help=f"Show one owner's part: {', '.join(OwnerName)}."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write JUnit XML.", dir_okay=False)] = None,
    language: Language = LanguageName.EN,
    as_json: Json = False,
) -> None:
    """Measure what each party answers for. Changes nothing; exits 3 when a check fails.

    What could not be measured, or has no object on this machine, is "not run", with its reason: never a pass.
    Where the machine contradicts the inventory, both are shown side by side.
    """
    from filae_ops.remote.ssh import Login
    from filae_ops.verification.junit import write_junit
    from filae_ops.verification.verify import verify_inventory

    start = time.monotonic()
    report = verify_inventory(inventory_of(context), Login(user, key), seen_from=seen_from, say=say)
    if only is not None:
        report = report.of(only.value)
    if junit is not None:
        write_junit(report, junit)
    if as_json:
        print_json(report.document())
    else:
        show(report, language.lang)
    say(f"{report.timing} in {time.monotonic() - start:.1f} s")
    if report.failed:
        raise typer.Exit(RED_VERDICT)


def show(report: Report, lang: Lang = "en") -> None:
    """Print where machine and inventory disagree; then by owner failures, what was not run, the passes in short."""
    labels = words("verification", lang)["terminal"]
    show_disagreements(report, lang)
    for owner in report.owners:
        mine = [each for each in report.verdicts if each.owner == owner]
        out.print(f"\n{labels['owners'][owner]}", style="bold")
        rows = [each for status in ("fail", "not_run") for each in mine if each.status == status]
        if rows:
            out.print(table(rows, lang))
        passed = [each.id for each in mine if each.status == "pass"]
        if passed:
            mark = labels["marks"]["pass"]
            listed = typography(f"{len(passed)}{labels['colon']}{', '.join(passed)}", lang)
            out.print(Text.assemble((f"{mark:<{mark_width(lang)}} ", COLOURS["pass"]), listed))
    out.print("")
    for line in report.by_owner_lines(lang):
        out.print(line)


def show_disagreements(report: Report, lang: Lang) -> None:
    """Print each rule of which the machine contradicts the inventory: what is declared, what is found."""
    if not report.disagreements:
        return
    labels = words("verification", lang)["terminal"]
    out.print(f"\n{labels['contradicts']}", style="bold")
    made = grid()
    for each in report.disagreements:
        rule = each.requirement
        name = rule.title_fr if lang == "fr" else rule.title_en
        lines = (
            f"{name} ({labels['owners'][rule.owner]})",
            f"  {labels['declared']}{each.reason(lang)}",
            f"  {labels['found']}{'; '.join(each.contradiction(lang))}",
        )
        made.add_row(Text(rule.id, "red"), typography("\n".join(lines), lang))
    out.print(made)


def table(rows: list[Verdict], lang: Lang) -> Table:
    """Return the rows that need a reader, within 80 columns."""
    labels = words("verification", lang)["terminal"]
    made = grid(mark_width(lang))
    for each in rows:
        said = each.wording(lang)
        acts = typography(labels["acts"], lang).format(labels["owners"][each.owner])
        text = f" ({each.requirement}) {said.message}" + (f"\n  {acts}{said.step}" if said.next else "")
        made.add_row(Text(labels["marks"][each.status], COLOURS[each.status]), Text.assemble((each.id, "bold"), text))
    return made


def mark_width(lang: Lang) -> int:
    """Return the columns that the marks of a language take."""
    marks: Mapping[str, str] = words("verification", lang)["terminal"]["marks"]
    return max(map(len, marks.values())) + 1


def grid(width: int = 8) -> Table:
    """Return two columns: a mark, and words that fold."""
    from rich.table import Table

    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(width=width)
    made.add_column(ratio=1, overflow="fold")
    return made


def next_step(owner: str, step: str) -> str:
    """Return the line that says who does what; a step may name its own party."""
    return f"\n  who acts: {owner}; next: {step.removeprefix(f'{owner}: ')}" if step else ""
