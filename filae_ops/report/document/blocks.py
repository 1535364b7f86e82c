"""What a document is made of: plain blocks, so that HTML and Markdown carry the same facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from filae_ops.judge.case.verdict import Status


@dataclass(frozen=True)
class Tag:
    """A status in words."""

    type: ClassVar[str] = "tag"
    status: Status
    text: str


@dataclass(frozen=True)
class Code:
    """A path, an address, a fingerprint: read as it is written."""

    type: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Link:
    """An address that can be followed."""

    type: ClassVar[str] = "link"
    text: str
    url: str


@dataclass(frozen=True)
class Lines:
    """Several lines in one place."""

    type: ClassVar[str] = "lines"
    parts: tuple[Cell, ...]
    listed: bool = False
    """Each line is an item of its own."""


Cell = str | Tag | Code | Link | Lines


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` is a class of the stylesheet: lead, note."""

    type: ClassVar[str] = "text"
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Heading:
    """A title inside a section."""

    type: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    type: ClassVar[str] = "bullets"
    items: tuple[Cell, ...]


@dataclass(frozen=True)
class Facts:
    """Names and their values."""

    type: ClassVar[str] = "facts"
    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Table:
    """Rows under headers; the first cell of a row names it."""

    type: ClassVar[str] = "table"
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...] = ()
    """Of the columns, in per cent."""
    kind: str = ""
    """Classes of the stylesheet: dense, turned (on paper), wide (turned, and scrolls on a screen)."""
    empty: str = ""
    """What to say in place of a table without rows."""


@dataclass(frozen=True)
class Callout:
    """What must not be missed; `kind`: bad, gap, ask, good or nothing."""

    type: ClassVar[str] = "callout"
    title: str
    parts: tuple[str, ...]
    kind: str = ""


Block = Text | Heading | Bullets | Facts | Table | Callout


@dataclass(frozen=True)
class Section:
    """One numbered chapter."""

    id: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def turned(self) -> bool:
        """Tell whether the chapter is printed on turned pages, for a table with many columns."""
        kinds = {word for each in self.blocks if isinstance(each, Table) for word in each.kind.split()}
        return bool(kinds & {"turned", "wide"})


def plain(cell: Cell) -> str:
    """Return a cell as one line of text."""
    if isinstance(cell, Lines):
        return " ; ".join(plain(part) for part in cell.parts)
    return cell if isinstance(cell, str) else cell.text
