"""The difference as a chapter of the review: what a DSI signs the second time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from filae_ops.language import Lang
from filae_ops.report.difference.change import GROUPS
from filae_ops.report.difference.sentences import sentence
from filae_ops.report.document.blocks import Block, Bullets, Callout, Cell, Heading, Lines, Section, Table, Tag, Text
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import counted, day

if TYPE_CHECKING:
    from filae_ops.judge.case.verdict import Status
    from filae_ops.report.difference.difference import Difference, VerdictChange

ID = "difference"
_MARK = 16


def section(found: Difference, lang: Lang) -> Section:
    """Return the chapter: verdicts that change, then each change by group, then what is as it was."""
    say = words("difference", lang)
    return Section(ID, say["title"], (*_blocks(found, lang),))


def _blocks(found: Difference, lang: Lang) -> Iterator[Block]:
    say = words("difference", lang)
    yield Callout(against(found, lang), tuple(_facts(found, lang)), "bad" if _worse(found.verdicts) else "")
    if not found.changes:
        yield Text(say["presentation" if found.presentation else "nothing"], "lead")
    for group in GROUPS:
        texts = [sentence(change, lang) for change in found.changes if change.group == group]
        if texts:
            yield Heading(say["groups"][group])
            yield Bullets(tuple(texts))
    yield _table(found.verdicts, say["verdicts"]["caption"], lang)
    if found.otherwise:
        yield _otherwise(found.otherwise, lang)
    if found.time:
        yield _table(found.time, say["verdicts"]["time"].format(day=day(found.against.day, lang)), lang)
    yield Text(unchanged(found, lang), "note")


def against(found: Difference, lang: Lang) -> str:
    """Return what the inventory is compared with, and whether its site has another name."""
    say, other = words("difference", lang), found.against
    text = say["against_revision"] if other.commit else say["against_folder"]
    said = str(text).format(commit=other.commit[:12], day=day(other.day, lang), folder=other.folder)
    before, after = (side.tree["site"]["name"] for side in (found.before, found.after))
    return said if before == after else f"{said} {say['other_site'].format(before=before, after=after)}"


def unchanged(found: Difference, lang: Lang) -> str:
    """Return what is as it was, in one line."""
    say = words("difference", lang)
    counts = [counted(say["unchanged_counts"][name], number) for name, number in found.unchanged.items() if number]
    return str(say["unchanged"]).format(counts=", ".join(counts) or "0")


def _facts(found: Difference, lang: Lang) -> Iterator[str]:
    say = words("difference", lang)
    yield say["same_day"].format(day=day(found.after.judgement.as_of.isoformat(), lang))
    marks = (f"{side.fingerprint[:_MARK]}…" for side in (found.before, found.after))
    before, after = marks
    yield say["fingerprints"].format(before=before, after=after)
    worse, better = _worse(found.verdicts), [each for each in found.verdicts if each.better]
    for name, number in (("worse", len(worse)), ("better", len(better))):
        if number:
            yield f"{counted(say['verdicts'][name], number)}."


def _worse(found: tuple[VerdictChange, ...]) -> list[VerdictChange]:
    """Return what is open today and was better before."""
    return [each for each in found if each.after and each.after.status != "not_applicable" and not each.better]


def _table(found: tuple[VerdictChange, ...], caption: str, lang: Lang) -> Table:
    from filae_ops.judge.words import why

    say, owners = words("difference", lang)["verdicts"], words("review", lang)["owners"]
    rows: list[tuple[Cell, ...]] = [
        (_rule(each, lang), *(_tag(status, lang) for status in each.statuses), why(each.verdict, lang),
         owners[each.verdict.requirement.owner])
        for each in found
    ]  # fmt: skip
    return Table(caption, tuple(say["headers"]), tuple(rows), (21, 14, 14, 38, 13), empty=say["none"])


def _otherwise(found: tuple[VerdictChange, ...], lang: Lang) -> Table:
    from filae_ops.judge.words import why

    say = words("difference", lang)["verdicts"]
    rows: list[tuple[Cell, ...]] = [
        (_rule(each, lang), _tag(each.after.status, lang), why(each.before, lang), why(each.after, lang))
        for each in found
        if each.before and each.after
    ]
    return Table(say["otherwise"], tuple(say["otherwise_headers"]), tuple(rows), (22, 14, 32, 32))


def _rule(change: VerdictChange, lang: Lang) -> Cell:
    rule = change.verdict.requirement
    return Lines((rule.id, rule.title_fr if lang == "fr" else rule.title_en))


def _tag(status: Status | None, lang: Lang) -> Cell:
    from filae_ops.judge.words import status_words

    return Tag(status, status_words(status, lang)) if status else words("difference", lang)["verdicts"]["absent"]
