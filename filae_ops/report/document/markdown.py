"""Blocks and tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from filae_ops.report.document.blocks import (
    Block,
    Bullets,
    Callout,
    Cell,
    Facts,
    Heading,
    Lines,
    Link,
    Table,
    Tag,
    Text,
)

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&!])")


def escaped(text: object) -> str:
    """Return a text for a Markdown table or paragraph: nothing in it is read as a mark, and it stays on one line."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split(" ")).replace("\r", " ").replace("\n", " "))


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
