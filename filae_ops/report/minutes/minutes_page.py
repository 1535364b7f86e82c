"""The minutes as one HTML page, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from filae_ops.language import typography
from filae_ops.report.document.blocks import Block
from filae_ops.report.document.markdown import block_lines, escaped, table_lines
from filae_ops.report.document.rendering import render
from filae_ops.report.document.values import day
from filae_ops.report.minutes.minutes import Minutes


def html(minutes: Minutes) -> str:
    """Return the page: self-contained, no network, no script."""
    say, found = minutes.say, minutes.found
    when = day(found.at.date().isoformat(), minutes.lang)
    footer = f" {say['dash']} ".join((say["title"], found.site, when, found.inventory.sha256[:16]))
    return render(
        "verification/minutes.html.j2", minutes.lang, words=say, title=say["title"], site=found.site, day=when,
        footer=footer, minutes=minutes,
    )  # fmt: skip


def markdown(minutes: Minutes) -> str:
    """Return the same facts in Markdown; nothing measured is read as a mark."""
    return typography("\n".join(_lines(minutes)).strip() + "\n", minutes.lang)


def _lines(minutes: Minutes) -> Iterator[str]:
    say = minutes.say
    yield from (f"# {escaped(say['title'])}", "", escaped(say["subtitle"]), "")
    cover: tuple[Block, ...] = (minutes.conclusion, minutes.facts, minutes.counts)
    for block in cover:
        yield from (*block_lines(block, minutes.lang), "")
    for number, section in enumerate(minutes.sections, 1):
        yield from ("", f"## {number}. {escaped(section.title)}")
        for block in section.blocks:
            yield from ("", *block_lines(block, minutes.lang))
    sign = say["signature"]
    yield from ("", f"## {len(minutes.sections) + 1}. {sign['title']}", "", sign["observations"], "")
    blanks = [""] * (len(sign["headers"]) - 1)
    yield from table_lines(sign["headers"], [(role, *blanks) for role in minutes.roles])
    yield from ("", say["made_by"])
