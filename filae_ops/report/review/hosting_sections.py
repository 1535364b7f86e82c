"""Where the data live, who answers for what, which flows are open."""

from __future__ import annotations

from collections.abc import Mapping

from filae_ops.judge.case.verdict import Row
from filae_ops.report.document.blocks import Block, Callout, Cell, Facts, Lines, Section, Table, Text
from filae_ops.report.document.values import at, shown
from filae_ops.report.review.entries import Context
from filae_ops.report.review.verdict_sections import worst_first

PARTIES = ("hospital", "dsi", "rssi", "dpo", "business_owner", "provider", "infogerant", "host")
_KINDS = {"immune": "good", "not_immune": "gap", "not_established": "gap", "not_applicable": ""}
_THIRD = ("hds_host", "third_party")
_BLOCKING = ("block", "ask_legal")
_TRANSFERS = "RGPD-05"


def hosting(context: Context) -> Section:
    """Return where the data live, and what extra-European law can reach."""
    say, lang, tree = context.say["hosting"], context.lang, context.tree
    names = {name: shown(at(tree, f"hosting.{name}"), lang) for name in ("region", "choice_record")}
    rows: list[tuple[str, Cell]] = [(say["model"], shown(at(tree, "hosting.model"), lang, coded=True))]
    if at(tree, "hosting.model") in _THIRD:
        rows += [(say["host"], _host(context)), (say["service"], _service(context)), (say["region"], names["region"])]
    else:
        rows.append((say["host"], say["own"] if at(tree, "hosting.model") != "ght" else names["region"]))
    for name in ("storage_countries", "remote_access_countries"):
        rows.append((say[name], shown(at(tree, f"hosting.{name}"), lang)))
    rows.append((say["choice_record"], names["choice_record"]))
    rows.append((say["sensitivity"], shown(at(tree, "data.sensitivity_assessment"), lang)))
    rows.append((say["law"], _law(context)))
    return Section("hosting", say["title"], (Facts(tuple(rows)), _immunity(context)))


def _law(context: Context) -> Cell:
    """Return what the blocking rules on the place of the data conclude, worst first."""
    by_status: dict[str, list[str]] = {}
    for each in worst_first(context.entries):
        on_place = each.verdict.requirement.theme == "HDS" or each.id == _TRANSFERS
        if on_place and each.verdict.requirement.severity in _BLOCKING and each.status != "not_applicable":
            by_status.setdefault(each.status_text, []).append(each.id)
    colon = " : " if context.lang == "fr" else ": "
    return Lines(tuple(f"{status}{colon}{', '.join(ids)}" for status, ids in by_status.items()))


def _host(context: Context) -> str:
    from filae_ops.register.lookup import hosts

    name = at(context.tree, "hosting.host_id")
    known = hosts().get(name) if isinstance(name, str) else None
    if known is None:
        return shown(name, context.lang)
    return f"{known.legal_name or known.name} ({name})"


def _service(context: Context) -> str:
    from filae_ops.register.lookup import hosts

    known = hosts().get(str(at(context.tree, "hosting.host_id")))
    name = at(context.tree, "hosting.service_id")
    found = next((each for each in known.services if each.id == name), None) if known else None
    return f"{found.name} ({name})" if found and found.name else shown(name, context.lang)


def _immunity(context: Context) -> Callout:
    from filae_ops.judge.words import immunity_words
    from filae_ops.register.lookup import immunity_steps

    say, verdict = context.say["hosting"], context.judgement.immunity
    steps = immunity_steps()
    step = next((each for each in steps if each.step == verdict.step), None)
    parts = [immunity_words(verdict.result, context.lang)]
    if step is not None:
        question = step.question_fr if context.lang == "fr" else step.question_en
        parts.append(say["step"].format(step=step.step, steps=len(steps), question=question))
    return Callout(say["immunity"], tuple(parts), _KINDS[verdict.result])


def responsibilities(context: Context) -> Section:
    """Return the responsibility matrix; what departs from the model is said in words."""
    say, raci = context.say["raci"], context.judgement.raci
    used = {party for row in raci for party in row.letters or ()}
    parties = [party for party in PARTIES if party in used]
    headers = (say["headers"][0], *(context.say["parties"][party] for party in parties), *say["headers"][1:])
    rows = tuple(_duty(context, row, parties) for row in raci)
    widths = (20, *(10 for _ in parties), 11, 69 - 10 * len(parties)) if len(parties) < 6 else ()
    blocks: list[Block] = [Text(say["intro"])]
    if any(row.activity5 for row in raci):
        blocks.append(Text(say["activity5"], "note"))
    blocks.append(Table(say["caption"], headers, rows, widths, "dense turned", say["none"]))
    return Section("responsibilities", say["title"], tuple(blocks))


def _duty(context: Context, row: Row, parties: list[str]) -> tuple[Cell, ...]:
    say, blank = context.say["raci"], context.say["blank"]
    notes: list[Cell] = [say["activity5_mark"]] if row.activity5 else []
    if row.letters is None:
        notes.insert(0, context.say["to_agree"])
    elif row.deviates:
        notes.insert(0, say["deviates"].format(expected=_letters(context, row.expected)))
    letters = [(row.letters or {}).get(party, blank) for party in parties]
    name = row.fr if context.lang == "fr" else row.en
    return (name, *letters, Lines(tuple(notes)) if notes else blank, row.source)


def _letters(context: Context, letters: Mapping[str, str] | None) -> str:
    if letters is None:
        return str(context.say["to_agree"])
    named = (f"{context.say['parties'].get(party, party)} {letter}" for party, letter in letters.items())
    return ", ".join(named) or str(context.say["raci"]["no_letters"])


def flows(context: Context) -> Section:
    """Return the flow matrix, with the columns that a DSI asks for."""
    from filae_ops.report.flows.matrix import WIDTHS, matrix

    say = context.say["flows"]
    headers, rows = matrix(context.inventory, context.lang)
    cells: tuple[tuple[Cell, ...], ...] = tuple(tuple(row) for row in rows)
    table = Table(say["caption"], headers, cells, WIDTHS, "dense wide")
    return Section("flows", say["title"], (Text(say["intro"]), table))


def derogations(context: Context) -> Section:
    """Return the exceptions that are declared, with their end."""
    from filae_ops.report.document.values import until

    say, lang = context.say["derogations"], context.lang
    declared = at(context.tree, "hosting.derogation")
    if not isinstance(declared, Mapping):
        return Section("derogations", say["title"], (Text(say["none"]),))
    last = at(declared, "until")
    row: tuple[Cell, ...] = (
        shown(at(declared, "basis"), lang), shown(at(declared, "granted_on"), lang),
        until(last, context.as_of, lang) if isinstance(last, str) else shown(last, lang),
        shown(at(declared, "signed_by"), lang),
    )  # fmt: skip
    return Section("derogations", say["title"], (Table(say["caption"], tuple(say["headers"]), (row,)),))
