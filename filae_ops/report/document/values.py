"""How a declared value is shown: nothing absent is blank, nothing declared is changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from filae_ops.language import Lang
from filae_ops.report.document.blocks import Cell, Tag
from filae_ops.report.document.rendering import words

MISSING: Final = object()
"""Nothing is declared."""


def at(tree: Any, path: str) -> Any:
    """Return what is declared at `hosting.certificates.hds`, or MISSING; below a null there is null."""
    found = tree
    for part in path.split("."):
        if found is None:
            return None
        if not isinstance(found, Mapping) or part not in found:
            return MISSING
        found = found[part]
    return found


def shown(value: Any, lang: Lang, unit: str = "", *, coded: bool = False) -> str:
    """Return the words for a declared value: absent is to document, null is none; `coded`: a word of the schema."""
    say = words("review", lang)
    if value is MISSING:
        return str(say["missing"])
    if value is None or value == [] or value == {}:
        return str(say["none"])
    if isinstance(value, bool):
        return str(say["yes" if value else "no"])
    if isinstance(value, Mapping):
        return _document(value, lang) if "file" in value else ", ".join(shown(each, lang) for each in value.values())
    if isinstance(value, list | tuple):
        return ", ".join(shown(each, lang, coded=coded) for each in value)
    text = str(say["codes"].get(value, value)) if coded else str(value)
    unit = unit.removesuffix("s") if value == 1 else unit
    return f"{day(text, lang)} {unit}".strip()


def _document(value: Mapping[str, Any], lang: Lang) -> str:
    dated = value.get("date")
    return f"{value['file']} ({day(str(dated), lang)})" if dated else str(value["file"])


def day(text: str, lang: Lang) -> str:
    """Return a date as the reader writes it: 30/06/2027 in French; what is no date is returned as it is."""
    parts = text.split("-")
    if lang == "fr" and len(text) in (7, 10) and all(part.isdigit() for part in parts) and len(parts[0]) == 4:
        return "/".join(reversed(parts))
    return text


def counted(forms: Sequence[str], number: int) -> str:
    """Return the singular or the plural of a text that holds `{n}`; French counts 0 as singular, and so do we."""
    return forms[number > 1].format(n=number)


def until(value: Any, as_of: dt.date, lang: Lang) -> Cell:
    """Return a last day and how it stands on `as_of`: the days that are left, or, marked, that it has passed."""
    say = words("review", lang)
    try:
        last = dt.date.fromisoformat(str(value))
    except ValueError:
        return shown(value, lang)
    left, text = (last - as_of).days, day(last.isoformat(), lang)
    return f"{text} ({say['days_left'].format(days=left)})" if left >= 0 else Tag("gap", f"{text} ({say['expired']})")
