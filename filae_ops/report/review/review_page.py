"""A review as one HTML page, and as Markdown: the same blocks."""

from __future__ import annotations

from collections.abc import Iterator

from filae_ops.language import typography
from filae_ops.report.document.blocks import Block
from filae_ops.report.document.markdown import block_lines, escaped, table_lines
from filae_ops.report.document.rendering import render, words
from filae_ops.report.document.values import day
from filae_ops.report.review.document import ReviewDocument


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
