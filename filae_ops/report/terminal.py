"""A review in the terminal: worst first, by who must act, within the width of the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from filae_ops.judge.verdict import STATUSES, Status
from filae_ops.report.conclusions import worst_first
from filae_ops.report.difference_terminal import lines as difference_lines
from filae_ops.report.entries import Entry
from filae_ops.report.pages import typography, words
from filae_ops.report.review import ReviewDocument
from filae_ops.report.shown import day

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

COLOURS: dict[Status, str] = {
    "non_compliant": "bold red", "gap": "red", "to_document": "yellow", "to_confirm": "yellow",
    "legal_question": "magenta", "compliant": "green", "not_applicable": "dim",
}  # fmt: skip
_SETTLED = ("compliant", "not_applicable")
_CONTRARY = ("non_compliant", "gap")


def show(review: ReviewDocument, console: Console) -> None:
    """Print the summary: the whole site, then each owner's part, whoever has the worst first."""
    from rich.text import Text

    def line(text: str, style: str = "") -> None:
        console.print(Text(typography(text, review.lang), style))

    say = review.say
    as_of = day(review.judgement.as_of.isoformat(), review.lang)
    line(" · ".join((review.site, review.establishment, review.environment, as_of)), "bold")
    commit = f", {say['cover']['commit']} {review.provenance.commit[:12]}" if review.provenance.commit else ""
    line(f"SHA-256 {review.provenance.sha256[:16]}{commit}", "dim")
    console.print(_counts(review, review.entries))
    line(review.stops.title, "bold")
    if review.difference:
        line("")
        for text, style in difference_lines(review.difference, review.lang):
            line(text, style)
    for owner in _owners(review):
        mine = worst_first(each for each in review.entries if each.owner == owner)
        line("")
        console.print(Text.assemble((say["owners"][owner], "bold underline"), "  ", _counts(review, mine)))
        if detailed := [each for each in mine if _detailed(each)]:
            console.print(_table(review, detailed))
        for text in _minor(review, mine):
            line(text)
    line("")
    line(say["terminal"]["more"], "dim")


def _counts(review: ReviewDocument, entries: Sequence[Entry]) -> Text:
    from rich.text import Text

    colon = " : " if review.lang == "fr" else ": "
    texts = {each.status: each.status_text for each in entries}
    numbers = Counter(each.status for each in entries)
    found = [each for each in STATUSES if each in texts]
    parts = (Text(typography(f"{texts[each]}{colon}{numbers[each]}", review.lang), COLOURS[each]) for each in found)
    return Text(" · ").join(parts)


def _owners(review: ReviewDocument) -> list[str]:
    """Return the owners, whoever has the worst verdict first."""
    return list(dict.fromkeys(each.owner for each in worst_first(review.entries)))


def _detailed(entry: Entry) -> bool:
    return entry.status not in _SETTLED and (entry.verdict.at_least("major") or entry.status in _CONTRARY)


def _minor(review: ReviewDocument, entries: Sequence[Entry]) -> Iterator[str]:
    """Return the names of the open verdicts that are not shown in detail."""
    rest = [each for each in entries if each.status not in _SETTLED and not _detailed(each)]
    for text in dict.fromkeys(each.status_text for each in rest):
        rules = ", ".join(each.id for each in rest if each.status_text == text)
        yield review.say["terminal"]["minor"].format(status=text.capitalize(), rules=rules)


def _table(review: ReviewDocument, entries: Sequence[Entry]) -> Table:
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(width=18, overflow="fold")
    made.add_column(ratio=1, overflow="fold")
    for each in entries:
        dated = f", {each.dated}" if each.dated else ""
        said = [typography(text, review.lang) for text in (each.title, each.severity_text, each.why, each.source)]
        text = Text.assemble((each.id, "bold"), f" {said[0]} ({said[1]})\n{said[2]}\n", (f"{said[3]}{dated}", "dim"))
        made.add_row(Text(each.status_text, COLOURS[each.status]), text)
    return made


def show_sites(reviews: Sequence[ReviewDocument], console: Console) -> None:
    """Print one line for each site, the worst first."""
    from rich.table import Table
    from rich.text import Text

    say = words("review", reviews[0].lang)["terminal"]
    made = Table(box=None, pad_edge=False)
    for index, header in enumerate(say["headers"]):
        made.add_column(header, overflow="fold", justify="right" if index > 1 else "left", no_wrap=index > 1)
    for review in sorted(reviews, key=lambda each: STATUSES.index(each.judgement.worst)):
        worst = review.judgement.worst
        text = next((each.status_text for each in review.entries if each.status == worst), "")
        numbers = [str(review.count.get(status, 0)) for status in STATUSES[:5]]
        made.add_row(review.site, Text(text, COLOURS[worst]), *numbers)
    console.print(made)
