"""One requirement, as a reader looks it up: rows of words, and the contract of `--json`."""

from __future__ import annotations

from typing import Any

from filae_ops.language import Lang, typography
from filae_ops.register.lookup import fields
from filae_ops.register.model import Condition, Evidence, Requirement
from filae_ops.report.document.rendering import words


def rows(each: Requirement, lang: Lang) -> list[tuple[str, str]]:
    """Return what is known of a requirement: a label and a text by row, in the order of reading."""
    say = words("requirements", lang)
    known = [
        ("statement", _in(each, "statement", lang)),
        ("owner", say["owners"][each.owner]),
        ("severity", say["severities"][each.severity]),
        ("applies", _in(each.applies, "text", lang)),
        ("effective", say["since"].format(date=each.effective_from) if each.effective_from else ""),
        *(("declared", _evidence(one, lang)) for one in each.declared),
        *([] if each.declared else [("declared", say["nothing_declared"])]),
        ("observed", _observed(each, lang)),
        ("source", each.cited),
        ("url", each.source.url),
        ("date", each.dated or say["undated"]),
        ("binding", say["bindings"][each.binding]),
        ("confidence", say["confidences"][each.confidence]),
        ("note", each.note or ""),
    ]
    return [(say["labels"][key], text if key == "url" else typography(text, lang)) for key, text in known if text]


def summary(each: Requirement, lang: Lang) -> tuple[str, ...]:
    """Return one line of the list: id, who answers, severity, title, kinds of evidence."""
    say = words("requirements", lang)
    kinds = [say["kinds"][kind] for kind in _kinds(each)]
    title = typography(_in(each, "title", lang), lang)
    return each.id, say["owners_short"][each.owner], say["severities_short"][each.severity], title, ", ".join(kinds)


def brief(each: Requirement, lang: Lang) -> dict[str, Any]:
    """Return one entry of `requirements list --json`."""
    return {
        "id": each.id, "theme": each.theme, "title": _in(each, "title", lang), "owner": each.owner,
        "severity": each.severity, "evidence": _kinds(each), "source": each.cited, "source_date": each.source_date,
        "confidence": each.confidence,
    }  # fmt: skip


def document(each: Requirement, lang: Lang) -> dict[str, Any]:
    """Return the contract of `requirements show --json`."""
    observed = each.observed_fr if lang == "fr" else each.observed_en
    return brief(each, lang) | {
        "statement": _in(each, "statement", lang), "source_url": each.source.url, "binding": each.binding,
        "effective_from": str(each.effective_from) if each.effective_from else None, "note": each.note,
        "applies": {"text": _in(each.applies, "text", lang), "when": [_condition(one) for one in each.applies.when]},
        "declared": [
            _condition(one) | {"name": _in(fields()[one.field], "", lang), "proof": _in(one, "proof", lang)}
            for one in each.declared
        ],
        "observed": observed,
    }  # fmt: skip


def _kinds(each: Requirement) -> list[str]:
    return ["declared"] * bool(each.declared) + ["observed"] * bool(each.observed_fr)


def _in(entry: Any, name: str, lang: Lang) -> str:
    return str(getattr(entry, f"{name}_{lang}" if name else lang))


def _condition(one: Condition) -> dict[str, Any]:
    return one.model_dump(mode="json", include={"field", "op", "value"})


def _observed(each: Requirement, lang: Lang) -> str:
    say = words("requirements", lang)
    if each.observed_fr is None:
        return str(say["nothing_observed"])
    return str(say["verify"].format(words=_in(each, "observed", lang)))


def _evidence(one: Evidence, lang: Lang) -> str:
    say = words("requirements", lang)
    wanted = say["ops"][one.op].format(value=_value(one, lang))
    name = _in(fields()[one.field], "", lang)
    text = say["evidence"].format(field=one.field, name=name, wanted=wanted, proof=_in(one, "proof", lang))
    if one.unless:
        text += say["unless"].format(field=one.unless, name=_in(fields()[one.unless], "", lang))
    return str(text)


def _value(one: Evidence, lang: Lang) -> str:
    say = words("requirements", lang)
    if isinstance(one.value, bool):
        return str(say["yes_no"][0 if one.value else 1])
    if isinstance(one.value, str) and one.value in fields():
        return _in(fields()[one.value], "", lang)
    if isinstance(one.value, tuple):
        return ", ".join(map(str, one.value))
    return str(say["values"].get(one.value, one.value))
