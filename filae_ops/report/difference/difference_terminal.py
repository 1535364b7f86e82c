"""What changed, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from filae_ops.language import Lang
from filae_ops.report.difference.change import GROUPS
from filae_ops.report.difference.section import against, unchanged
from filae_ops.report.difference.sentences import sentence
from filae_ops.report.document.rendering import words

if TYPE_CHECKING:
    from filae_ops.report.difference.difference import Difference


def lines(found: Difference, lang: Lang) -> Iterator[tuple[str, str]]:
    """Return each line with its style: what changed by group, the verdicts that change, what did not."""
    from filae_ops.judge.words import status_words, why

    say = words("difference", lang)
    yield say["title"], "bold underline"
    yield against(found, lang), "dim"
    if not found.changes:
        yield say["presentation" if found.presentation else "nothing"], ""
    for group in GROUPS:
        texts = [sentence(change, lang) for change in found.changes if change.group == group]
        if texts:
            yield say["groups"][group], "bold"
            yield from ((f"  - {text}", "") for text in texts)
    yield say["verdicts"]["title"] if found.verdicts else say["verdicts"]["none"], "bold"
    for each in found.verdicts:
        before, after = (status_words(it, lang) if it else say["verdicts"]["absent"] for it in each.statuses)
        text = f"  - {each.verdict.requirement.id} : {before} → {after}. {why(each.verdict, lang)}"
        yield text if lang == "fr" else text.replace(" : ", ": ", 1), "" if each.better else "red"
    yield unchanged(found, lang), "dim"
