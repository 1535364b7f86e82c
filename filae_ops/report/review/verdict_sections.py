"""The verdicts by theme, what is asked of whom, and the annexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product

from filae_ops.judge.case.verdict import OPEN, RANKS, STATUSES, EvidenceFile
from filae_ops.report.document.blocks import Block, Callout, Cell, Code, Lines, Link, Section, Table, Tag, Text
from filae_ops.report.document.values import at
from filae_ops.report.review.entries import Context, Entry
from filae_ops.vocabulary import OWNERS

_ASKED = (*OPEN, "legal_question")


def worst_first(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries by status, then severity, then as the register has them."""
    return sorted(entries, key=lambda each: (STATUSES.index(each.status), -RANKS[each.verdict.requirement.severity]))


def tag(entry: Entry) -> Tag:
    """Return the status of an entry in words."""
    return Tag(entry.status, entry.status_text)


def stops(context: Context) -> Callout:
    """Return in one sentence whether something stops the site from going live."""
    say = context.say["stops"]
    stopping = context.judgement.stopped_by("block")
    blocking = [each for each in stopping if each.status != "legal_question" and not each.from_memory]
    kind = "bad" if blocking else "ask" if stopping else "good"
    number = len(blocking or stopping)
    return Callout(say[kind][number != 1].format(count=number), (say["note"],), kind)


def summary(context: Context) -> Section:
    """Return the verdicts by who answers, then what must be settled before going live."""
    say, entries = context.say["summary"], context.entries
    shown = [status for status in STATUSES if any(each.status == status for each in entries)]
    words = {each.status: each.status_text for each in entries}
    rows = []
    for owner in OWNERS:
        counted = Counter(each.status for each in entries if each.owner == owner)
        if counted:
            rows.append((context.say["owners"][owner], *(str(counted[status]) for status in shown)))
    blocking = [each for each in worst_first(entries) if each.verdict.at_least("block")]
    lines = tuple((each.id, each.title, tag(each), each.owner_text) for each in blocking)
    return Section("summary", say["title"], (
        Table(say["owners"], (say["owner"], *(words[status] for status in shown)), tuple(rows)),
        Table(say["blocking"], tuple(say["blocking_headers"]), lines, (12, 48, 22, 18), "", say["none"]),
    ))  # fmt: skip


def verdicts(context: Context) -> Section:
    """Return every verdict that applies, theme by theme, worst first."""
    from filae_ops.register.lookup import themes

    say = context.say["verdicts"]
    blocks: list[Block] = []
    names = themes()
    for theme in dict.fromkeys(each.verdict.requirement.theme for each in context.entries):
        mine = [each for each in context.entries if each.verdict.requirement.theme == theme]
        rows = tuple(_verdict(context, each) for each in worst_first(mine) if each.status != "not_applicable")
        if rows:
            found = names.get(theme)
            title = (found.fr if context.lang == "fr" else found.en) if found else theme
            blocks.append(Table(title, tuple(say["headers"]), rows, (21, 17, 36, 26), "dense"))
    return Section("verdicts", say["title"], tuple(blocks))


def _verdict(context: Context, entry: Entry) -> tuple[Cell, ...]:
    say, rule = context.say["verdicts"], entry.verdict.requirement
    reason: list[Cell] = [entry.why]
    reason += [f"{say['evidence'].format(path=each.path)} — {_hash(context, each)}" for each in entry.evidence]
    dated = entry.dated or say["undated"]
    source = Lines((Link(rule.cited, rule.source.url), dated, say["read"].format(confidence=entry.confidence)))
    severity = () if entry.severity_text == entry.status_text else (entry.severity_text,)
    verdict = Lines((tag(entry), *severity, say["who"].format(owner=entry.owner_text)))
    return Lines((entry.id, entry.title)), verdict, Lines(tuple(reason)), source


def _hash(context: Context, file: EvidenceFile) -> str:
    return str(context.say["annex"][file.problem]) if file.problem else f"SHA-256 {file.sha256}"


def questions(context: Context) -> Section:
    """Return what only a person can answer."""
    say = context.say["questions"]
    french = context.lang == "fr"

    def rows(entries: Iterable[Entry]) -> tuple[tuple[Cell, ...], ...]:
        return tuple(
            (Lines((each.id, each.title)), Lines((_statement(each, french), each.why)), "") for each in entries
        )

    legal = [each for each in context.entries if each.status == "legal_question"]
    unsure = [each for each in context.entries if each.status == "to_confirm" and _unsure(each)]
    widths, headers = (24, 50, 26), tuple(say["headers"])
    blocks: list[Block] = [
        Table(say["legal"], headers, rows(legal), widths, "", say["none"]),
        Table(say["confirm"], headers, rows(unsure), widths, "", say["none"]),
    ]
    if at(context.tree, "hosting.model") in ("hds_host", "third_party"):
        asked = tuple((each["text"], each["rules"], "") for each in say["ask"])
        blocks.append(Table(say["host"], tuple(say["host_headers"]), asked, (48, 20, 32)))
    return Section("questions", say["title"], tuple(blocks))


def _statement(entry: Entry, french: bool) -> str:
    rule = entry.verdict.requirement
    return rule.statement_fr if french else rule.statement_en


def _unsure(entry: Entry) -> bool:
    return any(each.outcome == "unsure" for each in entry.verdict.findings)


def plan(context: Context) -> Section:
    """Return what is to be done, by whom, by when."""
    say = context.say["plan"]
    rows = tuple((str(number), *row, "") for number, row in enumerate(_actions(context), 1))
    table = Table(say["caption"], tuple(say["headers"]), rows, (5, 41, 14, 14, 15, 11), "dense", say["none"])
    return Section("plan", say["title"], (Text(say["intro"], "note"), table))


def _actions(context: Context) -> Iterator[tuple[Cell, ...]]:
    """Return one action for each verdict; those that one gesture settles are one action for each owner."""
    say = context.say["plan"]
    asked = [each for each in worst_first(context.entries) if each.status in _ASKED]
    together = {each.id: _gesture(each) for each in asked}
    single: dict[tuple[str, str, str], list[str]] = {}
    for each in asked:
        if not together[each.id]:
            single.setdefault((_action(context, each), each.owner_text, _deadline(context, each)), []).append(each.id)
    for (action, owner, deadline), ids in single.items():
        yield action, ", ".join(ids), owner, deadline
    for gesture, owner in product(("measure", "memory"), OWNERS):
        mine = [each for each in asked if together[each.id] == gesture and each.owner == owner]
        if mine:
            urgent = any(each.verdict.at_least("block") for each in mine)
            deadline = say["before"] if urgent else say["to_set"]
            yield say[gesture], ", ".join(each.id for each in mine), mine[0].owner_text, deadline


def _gesture(entry: Entry) -> str:
    if entry.status != "to_confirm":
        return ""
    outcomes = {each.outcome for each in entry.verdict.findings} - {"holds"}
    if entry.verdict.from_memory:
        return "memory"
    return "measure" if outcomes == {"unmeasured"} else ""


def _action(context: Context, entry: Entry) -> str:
    from filae_ops.judge.words import label

    missing = dict.fromkeys(label(name, context.lang) for name in entry.verdict.missing)
    words = context.say["plan"][entry.status]
    return str(words.format(title=entry.title, fields=", ".join(missing) or entry.title))


def _deadline(context: Context, entry: Entry) -> str:
    say = context.say["plan"]
    if any(each.outcome == "expired" for each in entry.verdict.findings):
        return str(say["now"])
    return str(say["before"] if entry.verdict.at_least("block") else say["to_set"])


def annex(context: Context) -> Section:
    """Return the evidence with its hashes, and the rules that do not apply, with the reason."""
    say, evidence = context.say["annex"], context.judgement.evidence.values()
    files = tuple((Code(each.path), _size(context, each), _state(context, each)) for each in evidence)
    rules = tuple((each.id, each.title, each.why) for each in context.entries if each.status == "not_applicable")
    return Section("annex", say["title"], (
        Table(say["evidence"], tuple(say["evidence_headers"]), files, (36, 14, 50), "dense", say["no_evidence"]),
        Table(say["rules"], tuple(say["rules_headers"]), rules, (14, 40, 46), "dense", context.say["cover"]["nothing"]),
    ))  # fmt: skip


def _size(context: Context, file: EvidenceFile) -> str:
    return f"{file.size} {context.say['annex']['bytes']}" if not file.problem else str(context.say["blank"])


def _state(context: Context, file: EvidenceFile) -> Cell:
    return context.say["annex"][file.problem] if file.problem else Code(file.sha256)
