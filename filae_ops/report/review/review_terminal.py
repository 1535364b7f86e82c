"""A review in the terminal: worst first, by who must act, within the width of the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap

from filae_ops.console import Console, Text
from filae_ops.judge.case.verdict import STATUSES, Status
from filae_ops.language import typography
from filae_ops.report.difference.difference_terminal import lines as difference_lines
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import day
from filae_ops.report.review.document import ReviewDocument
from filae_ops.report.review.entries import Entry
from filae_ops.report.review.verdict_sections import worst_first

COLOURS: dict[Status, str] = {
    "non_compliant": "bold red", "gap": "red", "to_document": "yellow", "to_confirm": "yellow",
    "legal_question": "magenta", "compliant": "green", "not_applicable": "dim",
}  # fmt: skip
MARGIN = 19
_SETTLED = ("compliant", "not_applicable")
_CONTRARY = ("non_compliant", "gap")


def show(review: ReviewDocument, console: Console) -> None:
    """Print the summary: the whole site, then each owner's part, whoever has the worst first."""
    for line in _lines(review, console.width):
        console.print(line, no_wrap=True, overflow="ignore", crop=False)


def _lines(review: ReviewDocument, width: int) -> Iterator[Text]:
    say = review.say
    as_of = day(review.judgement.as_of.isoformat(), review.lang)
    title = " · ".join((review.site, review.establishment, review.environment, as_of))
    yield from _wrapped(review, title, width, "bold")
    commit = f", {say['cover']['commit']} {review.provenance.commit[:12]}" if review.provenance.commit else ""
    yield from _wrapped(review, f"SHA-256 {review.provenance.sha256[:16]}{commit}", width, "dim")
    yield from _counts(review, review.entries, width)
    yield from _wrapped(review, review.stops.title, width, "bold")
    if review.difference:
        for text, style in (("", ""), *difference_lines(review.difference, review.lang)):
            yield from _wrapped(review, text, width, style, indent="    " if text.startswith("  ") else "")
    for owner in _owners(review):
        yield from _part(review, owner, width)
    yield from _wrapped(review, "", width)
    yield from _wrapped(review, say["terminal"]["more"], width, "dim")


def _part(review: ReviewDocument, owner: str, width: int) -> Iterator[Text]:
    """Return what one owner answers for."""
    mine = worst_first(each for each in review.entries if each.owner == owner)
    yield from _wrapped(review, "", width)
    yield from _wrapped(review, review.say["owners"][owner], width, "bold underline")
    yield from _counts(review, mine, width)
    for each in mine:
        if _detailed(each):
            yield from _detail(review, each, width)
    for text in _minor(review, mine):
        yield from _wrapped(review, text, width, indent="  ")


def _wrapped(review: ReviewDocument, text: str, width: int, style: str = "", *, indent: str = "") -> list[Text]:
    """Return lines that fit; spaces that do not break stay whole, which Rich would not see to."""
    spaced = typography(text, review.lang)
    found = wrap(spaced, max(width, 20), subsequent_indent=indent, break_on_hyphens=False) or [""]
    return [Text(each, style) for each in found]


def _counts(review: ReviewDocument, entries: Sequence[Entry], width: int) -> Iterator[Text]:
    colon = " : " if review.lang == "fr" else ": "
    texts = {each.status: each.status_text for each in entries}
    numbers = Counter(each.status for each in entries)
    line = Text()
    for status in (each for each in STATUSES if each in texts):
        part = Text(typography(f"{texts[status]}{colon}{numbers[status]}", review.lang), COLOURS[status])
        if line and len(line) + 3 + len(part) > width:
            yield line
            line = Text()
        line.append(" · " if line else "").append(part)
    yield line


def _owners(review: ReviewDocument) -> list[str]:
    """Return the owners, whoever has the worst verdict first."""
    return list(dict.fromkeys(each.owner for each in worst_first(review.entries)))


def _detailed(entry: Entry) -> bool:
    return entry.status not in _SETTLED and (entry.verdict.at_least("major") or entry.status in _CONTRARY)


def _minor(review: ReviewDocument, entries: Sequence[Entry]) -> Iterator[str]:
    """Return the names of the open verdicts that are not shown in detail."""
    rest = [each for each in entries if each.status not in _SETTLED and not _detailed(each)]
    said = [each for each in rest if not each.verdict.to_measure]
    for text in dict.fromkeys(each.status_text for each in said):
        rules = ", ".join(each.id for each in said if each.status_text == text)
        yield review.say["terminal"]["minor"].format(status=text.capitalize(), rules=rules)
    if measured := ", ".join(each.id for each in rest if each.verdict.to_measure):
        yield review.say["terminal"]["measure"].format(rules=measured)


def _detail(review: ReviewDocument, entry: Entry, width: int) -> Iterator[Text]:
    """Return one verdict: its status in the margin, then rule, reason and source."""
    source = f"{entry.source}, {entry.dated}" if entry.dated else entry.source
    room = max(width - MARGIN, 20)
    title = _wrapped(review, f"{entry.id} {entry.title} ({entry.severity_text})", room, "bold")
    lines = [*title, *_wrapped(review, entry.why, room), *_wrapped(review, source, room, "dim")]
    margin = Text(entry.status_text.ljust(MARGIN), COLOURS[entry.status])
    for number, line in enumerate(lines):
        yield Text().append(" " * MARGIN if number else margin).append(line)


def show_sites(reviews: Sequence[ReviewDocument], console: Console) -> None:
    """Print one line for each site, the worst first."""
    from rich.table import Table

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
