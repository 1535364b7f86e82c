"""What the judge says, as sentences: the field in words and by name, what is declared, what would do, the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from filae_ops.judge.case.case import WORST
from filae_ops.judge.case.tree import generic
from filae_ops.judge.case.verdict import Finding, Immunity, Status, Verdict
from filae_ops.language import Lang, typography
from filae_ops.register.model import Evidence, Requirement

_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")
_TO_AGREE = "row.to_agree"
_NAMING = ("file", "copy", "attestation", "sheet", "contract", "name", "server", "product", "alert_to", "place", "kind")


@cache
def said(lang: Lang) -> Mapping[str, Any]:
    """Return the sentences and the names of values of a language."""
    from filae_ops import strict_yaml

    content: Mapping[str, Any] = strict_yaml.load(Path(__file__).with_name(f"words.{lang}.yml"))[0]
    return content


def status_words(status: Status, lang: Lang) -> str:
    """Return the name of a status."""
    return typography(said(lang)["statuses"][status], lang)


def immunity_words(result: Immunity, lang: Lang) -> str:
    """Return what the decision table on extra-European law concludes, and what it means for a hospital."""
    return typography(said(lang)["immunity"][result], lang)


def reason(verdict: Verdict, lang: Lang) -> str:
    """Return why a verdict is what it is, in whole sentences, its source last."""
    return typography(" ".join(each for each in _sentences(verdict, lang) if each), lang)


def why(verdict: Verdict, lang: Lang) -> str:
    """Return the same without the source, for documents that show it apart."""
    return typography(" ".join(each for each in [*_sentences(verdict, lang)][:-1] if each), lang)


def _sentences(verdict: Verdict, lang: Lang) -> Iterator[str]:
    rule, words = verdict.requirement, said(lang)["parts"]
    if verdict.status == "legal_question":
        yield words["legal"]
    for finding in _telling(verdict):
        yield sentence(finding, rule, lang)
        yield _wanted(finding, rule, lang)
    if rows := [each.field.rpartition(".")[2] for each in verdict.findings if each.code == _TO_AGREE]:
        yield words["to_agree"].format(count=len(rows), rows=", ".join(rows))
    if verdict.from_memory:
        yield words["from_memory"]
    observed = rule.observed_fr if lang == "fr" else rule.observed_en
    if observed and rule.declared and verdict.status != "not_applicable":
        yield words["observed"].format(observed=_inside(observed))
    yield words["source" if rule.dated else "undated"].format(cited=rule.cited, date=value_words(rule.dated, lang))


def _telling(verdict: Verdict) -> tuple[Finding, ...]:
    """Return the findings that decide, worst first; all of them when everything holds."""
    against = [each for each in verdict.findings if each.outcome != "holds"]
    if verdict.status == "legal_question":
        against = list(verdict.findings)
    told = [each for each in against or verdict.findings if each.code != _TO_AGREE]
    return tuple(sorted(told, key=lambda each: WORST.index(each.outcome)))


def sentence(finding: Finding, rule: Requirement | None, lang: Lang) -> str:
    """Return one finding as a sentence."""
    table = said(lang)["sentences"]
    text: str = table.get(finding.code) or table[f"default.{finding.outcome}"]
    fields = {key: value_words(value, lang) for key, value in (finding.words or {}).items()}
    if "days" in fields:
        fields["days"] = _days(int((finding.words or {})["days"]), lang)
    if "other" in fields:
        fields["other"] = name_words((finding.words or {})["other"], lang)
    if rule:
        fields["applies"] = _inside(rule.applies.text_fr if lang == "fr" else rule.applies.text_en)
        fields["observed"] = _inside((rule.observed_fr if lang == "fr" else rule.observed_en) or "")
    note = fields.pop("note", "")
    shown = text.format(
        name=name_words(finding.field, lang),
        field=finding.field,
        value=value_words(finding.value, lang),
        expected=value_words(finding.expected, lang),
        **fields,
    )
    noted = (finding.words or {}).get("note")
    return f"{shown} {said(lang)['parts']['note'].format(note=note)}" if noted else shown


def _wanted(finding: Finding, rule: Requirement, lang: Lang) -> str:
    """Return what would do, and what a reviewer asks to see, of the evidence that a finding speaks of."""
    if finding.outcome in ("holds", "unmeasured"):
        return ""
    row = next((each for each in rule.declared if generic(finding.field) == each.field), None)
    if row is None:
        return ""
    proof = row.proof_fr if lang == "fr" else row.proof_en
    parts = said(lang)["parts"]
    wanted = _expect(row, lang)
    both = parts["wanted"].format(wanted=wanted) if wanted else ""
    return f"{both} {parts['proof'].format(proof=_inside(proof))}".strip()


def _expect(row: Evidence, lang: Lang) -> str:
    table = said(lang)["expect"]
    if row.op not in table:
        return ""
    value = list(row.value) if isinstance(row.value, tuple) else row.value
    pair = value if isinstance(value, list) and len(value) > 1 else [value, value]
    return str(table[row.op].format(
        expected=value_words(value, lang), low=value_words(pair[0], lang), high=value_words(pair[1], lang)
    ))  # fmt: skip


def name_words(field: str, lang: Lang) -> str:
    """Return a field as a sentence names it: in words, then as it is written."""
    if not field:
        return ""
    return str(said(lang)["parts"]["name"]).format(label=label(field, lang), field=field)


@cache
def label(field: str, lang: Lang) -> str:
    """Return what a field is called; what has no name of its own is called as what it is in."""
    from filae_ops.register.lookup import fields

    own: Mapping[str, str] = said(lang)["fields"]
    name = generic(field)
    while name:
        if name in own:
            return own[name]
        if name in fields():
            return fields()[name].fr if lang == "fr" else fields()[name].en
        name = name.rpartition(".")[0]
    return field


def value_words(value: Any, lang: Lang) -> str:
    """Return a declared value as a sentence writes it."""
    table, parts = said(lang)["values"], said(lang)["parts"]
    if value is None or isinstance(value, bool):
        return str(parts[{None: "null", True: "true", False: "false"}[value]])
    if isinstance(value, list | tuple):
        return ", ".join(value_words(each, lang) for each in value) or str(parts["empty"])
    if isinstance(value, Mapping):
        named = next((value[key] for key in _NAMING if value.get(key)), None)
        return value_words(named, lang) if named else str(parts["filled"])
    text = str(value)
    if text in table:
        return str(table[text])
    day = _DAY.fullmatch(text)
    return "/".join(part for part in reversed(day.groups()) if part) if day and lang == "fr" else text


def _days(count: int, lang: Lang) -> str:
    one = count == 1 or (count == 0 and lang == "fr")  # French counts nothing in the singular
    return str(said(lang)["parts"]["day" if one else "days"]).format(count=count)


def _inside(text: str) -> str:
    """Return a text without its last full stop, to stand inside a sentence."""
    return text.rstrip(" .")
