"""What the checks of a machine say: a code with its values, in the reader's language, and who acts."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from filae_ops.agent.system.plain_text import plain
from filae_ops.errors import Owner
from filae_ops.language import Lang, typography
from filae_ops.paths import data_path
from filae_ops.report.document.rendering import shipped
from filae_ops.report.document.values import day

Value = str | int | float | Sequence[str]
Values = Mapping[str, Value]
HOLDS = "holds"
"""The code of a check that passes: it says what holds."""
BROKE = "broke"
"""The code of a check that is itself at fault."""
SHARED = "shared"
"""Where the words stand that several checks say."""
OF_A_FLOW = ("flow-in", "flow-out")
"""Checks that run once for each flow, and bear its name."""
NAMES_SHOWN = 4
LONGEST = 300
_PARTY = re.compile(r"(^|; )(dsi|provider|host|dpo|shared): ")


class WordsError(ValueError):
    """A code without words, or values that are not those of its words."""


@dataclass(frozen=True)
class Wording:
    """What a check says, and what to do next, in one language."""

    message: str
    next: str = ""
    owner: Owner | None = None
    """Who acts first."""
    step: str = ""
    """What to do next, without who acts first."""


def wording(check: str, code: str, values: Values, lang: Lang) -> Wording:
    """Return the words of a code of a check; its values are exactly those that its words name."""
    entry = _entry(check, code, lang)
    if code == HOLDS:
        entry = {"message": entry}
    message, step = str(entry["message"]), str(entry.get("next", ""))
    if set(values) != placeholders(message) | placeholders(step):
        raise WordsError(f"{check}: the values of {code!r} are not those of its words: {', '.join(sorted(values))}")
    formatter, party = _Formatter(lang), _PARTY.match(step)
    said, whole = (formatter.format(text, values) for text in (message, _parties(step, lang)))
    if party is None:
        return Wording(said, whole, step=whole)
    rest = formatter.format(_parties(step[party.end() :], lang), values)
    return Wording(said, whole, cast("Owner", party[2]), rest)


def title(identity: str, lang: Lang) -> str:
    """Return what holds when a check passes, with the flow and the machine that its id names."""
    machine, _, rest = identity.rpartition(":")
    check = check_of(identity)
    text = wording(check, HOLDS, {}, lang).message
    beside = ", ".join(plain(part) for part in (rest.removeprefix(check).removeprefix("-"), machine) if part)
    return f"{text.removesuffix('.')} ({beside})." if beside else text


def check_of(identity: str) -> str:
    """Return the name of a check from the id of a verdict: without its machine, and without its flow."""
    name = identity.rpartition(":")[2]
    return next((check for check in OF_A_FLOW if name.startswith(f"{check}-")), name)


@cache
def check_words(lang: Lang) -> Mapping[str, Any]:
    """Return the words of every check."""
    return shipped(data_path("templates", "verification", f"checks.{lang}.yml"))


def placeholders(text: str) -> set[str]:
    """Return the names of the values that a text shows."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _entry(check: str, code: str, lang: Lang) -> Any:
    table = check_words(lang)
    for name in (check, SHARED):
        if code in table["checks"].get(name, {}):
            return table["checks"][name][code]
    raise WordsError(f"{check}: the code {code!r} has no words")


def _parties(step: str, lang: Lang) -> str:
    """Return a next step with its parties named as the reader names them."""
    names = check_words(lang)["parties"]
    return _PARTY.sub(lambda found: f"{found[1]}{names[found[2]]}", step)


class _Formatter(string.Formatter):
    """Shows values by name, in one language. Forms after a colon: `day` and `moment` of ISO 8601, `commands`, `state`.

    Commands are parted by semicolons; `PATH (STATE)` has its state in the reader's language.
    """

    def __init__(self, lang: Lang) -> None:
        self.lang = lang

    def format(self, text: str, values: Values) -> str:  # type: ignore[override]
        return self.vformat(typography(text, self.lang), (), values)

    def format_field(self, value: Any, form: str) -> str:
        if isinstance(value, str):
            return self._text(value, form)
        if isinstance(value, bool) or not isinstance(value, int | float | Sequence):
            raise WordsError(f"no value for words: {value!r}")
        if isinstance(value, Sequence):
            return self._list([self.format_field(each, form) for each in value], "; " if form == "commands" else ", ")
        shown = str(value) if isinstance(value, int) else f"{value:.1f}".removesuffix(".0")
        return shown.replace(".", ",") if self.lang == "fr" else shown

    def _text(self, text: str, form: str) -> str:
        if form in ("day", "moment"):
            date, _, clock = text.partition("T")
            at = check_words(self.lang)["lists"]["at"]
            text = day(date, self.lang) + (f"{at}{clock[:5]}" if form == "moment" and clock else "")
        if form == "state" and (state := re.search(r"(?<= \()[a-z]+(?=\)$)", text)):
            text = text[: state.start()] + check_words(self.lang)["states"].get(state[0], state[0]) + ")"
        line = plain(re.sub(r"[ \t\n]+", " ", text).strip())
        return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"

    def _list(self, texts: list[str], separator: str) -> str:
        say = check_words(self.lang)["lists"]
        if not texts:
            return str(say["none"])
        if len(texts) <= NAMES_SHOWN + 1:  # "and 1 more" is no shorter than its name
            return separator.join(texts)
        return str(say["more"]).format(names=separator.join(texts[:NAMES_SHOWN]), left=len(texts) - NAMES_SHOWN)
