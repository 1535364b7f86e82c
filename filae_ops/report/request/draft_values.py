"""Values of a draft in words: what is known, and who is asked for what is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from filae_ops.inventory.reading.draft import Draft
from filae_ops.language import Lang
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import day

Write = Callable[[Any], str]


@dataclass
class Asking:
    """The draft, the language, and the blanks met so far."""

    draft: Draft
    lang: Lang
    asked: set[str] = field(default_factory=set)
    """Places that are left to somebody."""

    @property
    def say(self) -> Mapping[str, Any]:
        """Return the words of the request."""
        return words("request", self.lang)

    def text(self, name: str, write: Write | None = None) -> str:
        """Return the value at a place of the draft in words, or whom it is asked of."""
        return self.value(self.draft.get(name), name, write)

    def value(self, value: Any, name: str, write: Write | None = None) -> str:
        """Return a value in words, or whom it is asked of when there is none; `name` is its place."""
        if isinstance(value, list | tuple):
            return ", ".join(self.value(each, name, write) for each in value) if value else self.blank(name)
        if value is None:
            return str(self.say["nothing"]) if self.draft.says_none(name) else self.blank(name)
        return write(value) if write else self.plain(value)

    def plain(self, value: Any) -> str:
        """Return a value as it reads: yes or no, a date, a text."""
        if isinstance(value, bool):
            return str(self.say["yes" if value else "no"])
        return day(value.isoformat(), self.lang) if isinstance(value, dt.date) else str(value)

    def blank(self, name: str) -> str:
        """Return whom the value at a place is asked of, and remember it."""
        self.asked.add(name)
        return str(self.say["blank"]["dsi" if self.draft.known_by(name) == "dsi" else "provider"])
