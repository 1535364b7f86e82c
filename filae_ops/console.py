"""Where things are printed: results on stdout, all else on stderr; colours degrade by themselves.

Nothing of what is printed is obeyed: names, values and answers are from outside. `Console` says what rich shows, and
lets the sequences of rich alone through to the terminal; all else that the process writes, by whomever, goes through
what `guard` puts in place.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

import rich.console
import rich.text
from rich.segment import Segment

from filae_ops.agent.system import plain_text
from filae_ops.agent.system.plain_text import PlainStream, plain

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType


class Text(rich.text.Text):
    """Rich's, plain before it is laid out: rich counts columns, and would cut a text whose length it mistakes."""

    def __init__(self, text: str = "", style: str = "", **options: Any) -> None:
        super().__init__(plain(text), style, **options)

    def append(self, text: str | rich.text.Text, style: Any = None) -> Text:
        """Add a text, or a part of one with its style."""
        super().append(plain(text) if isinstance(text, str) else text, style)
        return self


class Console(rich.console.Console):
    """Rich's, for text that is shown as it is: brackets, names of emoji and what a terminal would obey."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> rich.text.Text:
        """Return a text to lay out, as long as it will be."""
        return super().render_str(plain(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return the pieces of what is shown; what moves the cursor is rich's own."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(plain(piece.text), piece.style)


class _Stream(PlainStream):
    @property
    def rich_proxied_file(self) -> IO[str]:
        """Return where rich writes: what `Console` says is plain already, and keeps its colours."""
        return self.stream


def guard() -> None:
    """Have nothing that this process writes obeyed by a terminal, but for the colours and moves of `Console`."""
    plain_text.guard(_Stream)


out = Console()
err = Console(stderr=True)


def say(message: str) -> None:
    """Print one line of progress on stderr."""
    err.print(message, soft_wrap=True)


def step(message: str) -> None:
    """Print the title of a phase on stderr."""
    err.print(f"==> {message}", style="bold", soft_wrap=True)


def write(text: str) -> None:
    """Print a text on stdout as it is, nothing added, and at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_json(document: Any) -> None:
    """Print one JSON document on stdout, and nothing else there."""
    write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
