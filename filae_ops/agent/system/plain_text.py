"""Text from outside, before a person or a line of a file gets it."""

from __future__ import annotations

import re

# C0 but tab and line feed, DEL, C1 (U+009B opens a sequence as ESC [ does), what breaks lines elsewhere, what turns
# the direction of writing (Unicode Technical Report 36, 3.3), halves of surrogate pairs.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_BREAKS = re.compile("[\t\n]")


def plain(text: str) -> str:
    r"""Return text that a terminal shows and does not obey: such characters as `\u001b`, which JSON reads back."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def one_line(text: str) -> bool:
    """Tell whether a line of a file can carry this text as it is."""
    return not _OBEYED.search(text) and not _BREAKS.search(text)
