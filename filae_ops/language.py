"""The languages of the documents, and the spaces that French typography does not break."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Lang = Literal["fr", "en"]
_NBSP, _NARROW = "\u00a0", "\u202f"
_SUBSTITUTES = (
    (re.compile(r"(?<=\S) (?=[;?!])"), _NARROW),
    (re.compile(r"(?<=\S) (?=[:»%])"), _NBSP),
    (re.compile(r"« "), f"«{_NBSP}"),
    (re.compile(r"\bn° "), f"n°{_NBSP}"),
)


@lru_cache(maxsize=8192)
def typography(text: str, lang: Lang) -> str:
    """Return the text with the spaces that French does not break; English is returned as it is."""
    if lang == "fr":
        for pattern, space in _SUBSTITUTES:
            text = pattern.sub(space, text)
    return text
