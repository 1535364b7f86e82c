"""`filae-ops verify`: what holds, what does not, who must act."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Json, Key, Operator, OwnerName, inventory_of
from filae_ops.console import Text, out, print_json, say

if TYPE_CHECKING:
    from rich.table import Table

    from filae_ops.verification.results import Verdict
    from filae_ops.verification.verify import Report

RED_VERDICT = 3
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="INVENTORY", help="Look at ports and flows from this inventory's first machine."),
]
MARKS = {"fail": ("FAIL", "red"), "not_run": ("not run", "yellow"), "pass": ("pass", "green")}


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
        show(report)
    say(f"{report.words} in {time.monotonic() - start:.1f} s")
    if report.failed:
        raise typer.Exit(RED_VERDICT)


def show(report: Report) -> None:
    """Print where machine and inventory disagree; then by owner failures, what was not run, the passes in short."""
    show_disagreements(report)
    for owner in report.owners:
        mine = [each for each in report.verdicts if each.owner == owner]
        out.print(f"\n{owner}", style="bold")
        rows = [each for status in ("fail", "not_run") for each in mine if each.status == status]
        if rows:
            out.print(table(rows))
        passed = [each.id for each in mine if each.status == "pass"]
        if passed:
            out.print(Text.assemble(("pass", "green"), f"     {len(passed)}: {', '.join(passed)}"))
    out.print("")
    for line in report.by_owner_lines():
        out.print(line)


def show_disagreements(report: Report) -> None:
    """Print each rule of which the machine contradicts the inventory: what is declared, what is found."""
    if not report.disagreements:
        return
    out.print("\nthe machine contradicts the inventory", style="bold")
    made = grid()
    for each in report.disagreements:
        rule = each.requirement
        said, found = each.reason("en"), "; ".join(each.contradiction)
        text = f"{rule.title_en} ({rule.owner})\n  declared: {said}\n  found: {found}"
        made.add_row(Text(rule.id, "red"), text)
    out.print(made)


def table(rows: list[Verdict]) -> Table:
    """Return the rows that need a reader, within 80 columns."""
    made = grid()
    for each in rows:
        text = f" ({each.requirement}) {each.message}{next_step(each.owner, each.next)}"
        made.add_row(Text(*MARKS[each.status]), Text.assemble((each.id, "bold"), text))
    return made


def grid() -> Table:
    """Return two columns: a mark, and words that fold."""
    from rich.table import Table

    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(width=8)
    made.add_column(ratio=1, overflow="fold")
    return made


def next_step(owner: str, step: str) -> str:
    """Return the line that says who does what; a step may name its own party."""
    return f"\n  who acts: {owner}; next: {step.removeprefix(f'{owner}: ')}" if step else ""
