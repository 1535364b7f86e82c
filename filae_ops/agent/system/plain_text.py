"""Text from outside, before a person or a line of a file gets it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

# C0 but tab and line feed, DEL, C1 (U+009B opens a sequence as ESC [ does), what breaks lines elsewhere, what turns
# the direction of writing (Unicode Technical Report 36, 3.3), halves of surrogate pairs. Compiled at the
# first text: the launcher, which has to start fast, prints none.
_OBEYED = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_BREAKS = "[\t\n]"


def plain(text: str) -> str:
    r"""Return text that a terminal shows and does not obey: such characters as `\u001b`, which JSON reads back."""
    return re.sub(_OBEYED, lambda match: f"\\u{ord(match[0]):04x}", text)


def one_line(text: str) -> bool:
    """Tell whether a line of a file can carry this text as it is."""
    return not re.search(_OBEYED, text) and not re.search(_BREAKS, text)


class PlainStream:
    """A stream that spells out what a terminal would obey; in all else the stream that it stands for."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text, plain."""
        self.stream.write(plain(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts, plain."""
        for text in lines:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        """Return what the stream has: its buffer, its descriptor, its encoding."""
        return getattr(self.stream, name)


def guard(kind: type[PlainStream] = PlainStream) -> None:
    """Have nothing of what this process writes to its output and its error stream obeyed by a terminal."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, PlainStream):  # None: its descriptor was closed
            setattr(sys, name, kind(stream))
