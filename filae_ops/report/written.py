"""A review as one HTML page, and as Markdown: the same blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from filae_ops.language import typography
from filae_ops.report.blocks import Block, Bullets, Callout, Cell, Facts, Heading, Lines, Link, Table, Tag, Text
from filae_ops.report.pages import markdown as escaped
from filae_ops.report.pages import render, words
from filae_ops.report.review import ReviewDocument
from filae_ops.report.shown import day


def html(review: ReviewDocument) -> str:
    """Return the page: self-contained, no network, no script."""
    say = words("review", review.lang)
    as_of = day(review.judgement.as_of.isoformat(), review.lang)
    footer = " · ".join((say["title"], review.site, as_of, review.provenance.sha256[:16]))
    return render(
        "review/review.html.j2", review.lang, words=say, title=say["title"], site=review.site, day=as_of,
        footer=footer, review=review,
    )  # fmt: skip


def markdown(review: ReviewDocument) -> str:
    """Return the same facts in Markdown; nothing declared is read as a mark."""
    return typography("\n".join(_lines(review)).strip() + "\n", review.lang)


def _lines(review: ReviewDocument) -> Iterator[str]:
    say = words("review", review.lang)
    decision = say["decision"]
    yield from (f"# {escaped(say['title'])}", "", escaped(say["subtitle"]), "")
    cover: tuple[Block, ...] = (review.stops, review.facts, review.counts, *review.cautions)
    for block in cover:
        yield from (*block_lines(block, review.lang), "")
    yield from (f"## 1. {decision['title']}", "", *(f"- [ ] {each}" for each in decision["choices"]), "")
    yield from (f"{decision['reserves']}", "", f"{decision['next']}", "")
    blanks = [""] * (len(decision["headers"]) - 1)
    yield from table_lines(decision["headers"], [(role, *blanks) for role in decision["roles"]])
    for number, section in enumerate(review.sections, 2):
        yield from ("", f"## {number}. {escaped(section.title)}")
        for block in section.blocks:
            yield from ("", *block_lines(block, review.lang))
    yield from ("", say["made_by"])


def block_lines(block: Block, lang: str) -> Iterable[str]:
    """Return a block in Markdown."""
    if isinstance(block, Text):
        return [escaped(block.text)]
    if isinstance(block, Heading):
        return [f"### {escaped(block.text)}"]
    if isinstance(block, Bullets):
        return [f"- {_cell(each)}" for each in block.items]
    if isinstance(block, Facts):
        colon = " :" if lang == "fr" else ":"
        return [f"- {escaped(name)}{colon} {_cell(value)}" for name, value in block.rows]
    if isinstance(block, Callout):
        parts = (line for part in block.parts for line in (">", f"> {escaped(part)}"))
        return [f"> **{escaped(block.title)}**", *parts]
    return _table(block)


def _table(table: Table) -> list[str]:
    title = [f"### {escaped(table.caption)}", ""]
    shown = table.rows or not table.empty
    return [*title, *(table_lines(table.headers, table.rows) if shown else [escaped(table.empty)])]


def table_lines(headers: Iterable[str], rows: Iterable[Iterable[Cell]]) -> list[str]:
    """Return a table in Markdown."""
    names = [escaped(each) for each in headers]
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    return [*lines, *(f"| {' | '.join(_cell(each) for each in row)} |" for row in rows)]


def _cell(cell: Cell) -> str:
    if isinstance(cell, Lines):
        return "<br>".join(f"• {_cell(part)}" if cell.listed else _cell(part) for part in cell.parts)
    if isinstance(cell, Tag):
        return f"**{escaped(cell.text)}**"
    if isinstance(cell, Link):
        return f"[{escaped(cell.text)}](<{cell.url}>)"
    return escaped(cell if isinstance(cell, str) else cell.text)
