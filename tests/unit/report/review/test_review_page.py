"""The review as a page and as Markdown: what it must say in both languages, and what it never runs."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from material.reviews import DAY, EVIL, SHA, demo, hostile, judgement, review

from filae_ops.judge.case.verdict import STATUSES
from filae_ops.judge.words import status_words
from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import shown
from filae_ops.report.review.review_page import html, markdown

LANGS: tuple[Lang, ...] = ("fr", "en")
SECTIONS = [
    "hosting", "summary", "responsibilities", "flows", "machines", "accounts", "certificates", "backup", "continuity",
    "changes", "verdicts", "questions", "derogations", "plan", "annex",
]  # fmt: skip


class Page(HTMLParser):
    """The text, the elements and the ids of a page; text is as a reader sees it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags, self.attributes = "", [], []  # type: ignore[var-annotated]
        self._hidden = 0
        self.feed(page)
        self.text = " ".join(self.text.replace("\u00a0", " ").replace("\u202f", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._hidden += tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize("lang", LANGS)
def test_every_section_is_there_in_order(lang: Lang) -> None:
    page = Page(html(review(lang)))
    ids = [value for tag, name, value in page.attributes if (tag, name) == ("h2", "id")]
    assert ids == ["contents", "decision", *SECTIONS]
    links = {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href") and value[0] == "#"}
    assert links >= {"content", "decision", *SECTIONS}, "each chapter can be reached"
    every = [value for _, name, value in page.attributes if name == "id"]
    assert len(every) == len(set(every)), "an id is used once"


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("write", [html, markdown])
def test_the_facts_of_a_decision_are_said(lang: Lang, write: Any) -> None:
    """Cover, verdicts, responsibilities, flows, machines, accounts, backups, changes, plan."""
    text = Page(write(review(lang))).text if write is html else plain(write(review(lang)))
    say = words("review", lang)
    wanted = ["chv-demo", "Valombre", "22/11/2026" if lang == "fr" else "2026-11-22", "c0ffeec0ffee", SHA, "filae-demo"]
    wanted += [status_words(each, lang) for each in STATUSES]
    wanted += [each.verdict.requirement.cited for each in review(lang).entries if each.status != "not_applicable"]
    wanted += [*say["decision"]["choices"], *say["decision"]["roles"], say["to_agree"], "evidence/art28.pdf"]
    wanted += [say["annex"]["absent"], "Debian 13", "PostgreSQL 17", "Ruby 3.3", "amartin", "SHA256:", "192.0.2.64/26"]
    wanted += [say["plan"]["before"], say["plan"]["now"], say["plan"]["measure"], say["plan"]["memory"]]
    missing = [each for each in wanted if plain(each) not in text]
    assert not missing


def test_a_deviation_from_the_model_is_said_in_words() -> None:
    assert "Écart au modèle (prévu : DSI A, Prestataire R)" in Page(html(review("fr"))).text
    assert "Departs from the model (expected: IT department A, Provider R)" in Page(html(review("en"))).text


def test_rules_from_memory_and_through_a_third_party_are_listed_on_the_cover() -> None:
    found = review("fr")
    memory, secondary = (callout.parts[-1] for callout in found.cautions)
    applies = [each.verdict.requirement for each in found.entries if each.status != "not_applicable"]
    assert memory.split(" : ")[1].rstrip(".").split(", ") == [
        each.id for each in applies if each.confidence == "from-memory"
    ]
    assert "RGPD-01" in memory
    assert secondary == words("review", "fr")["cover"]["nothing"]


def test_what_is_not_declared_is_never_blank() -> None:
    text = Page(html(review("fr"))).text
    assert "Copie éloignée à renseigner" in text
    assert "Perte de données maximale admise (PDMA) à renseigner" in text
    declared = Page(html(review("fr", hosting={"model": "internal", "choice_record": None}))).text
    assert "Décision écrite du choix d'hébergement aucun (déclaré)" in declared


def test_a_third_party_is_named_and_asked() -> None:
    hosting = {
        "model": "hds_host", "host_id": "outscale", "service_id": "outscale-iaas-cod",
        "derogation": {"basis": "marché en cours", "until": "2026-01-31"},
        "certificates": {"hds": {"number": "FR-1", "to": "2027-01-01", "activities": ["administration"]}},
    }  # fmt: skip
    text = Page(html(review("fr", hosting=hosting))).text
    for wanted in ("À l'hébergeur", "outscale", "FR-1", "01/01/2027 (encore 40 j)", "marché en cours",
                   "31/01/2026 (échu)", "Règles bloquantes sur l'hébergement",
                   "Question qui en décide (6 sur 6)"):  # fmt: skip
        assert wanted in text
    assert "À l'hébergeur" not in Page(html(review("fr"))).text


@pytest.mark.parametrize("lang", LANGS)
def test_a_hostile_inventory_runs_nothing(lang: Lang) -> None:
    page = html(review(lang, inventory=hostile()))
    found = Page(page)
    assert "<script" not in page
    assert EVIL in found.text
    assert not {"script", "iframe", "img", "object", "form", "input"} & set(found.tags)
    assert not [each for each in found.attributes if each[1].startswith("on") or "javascript:" in each[2]]
    # Nothing is fetched: what is followed by hand is an https address of the register.
    fetched = [(tag, name, value) for tag, name, value in found.attributes if name in ("src", "href")]
    assert all(value.startswith(("#", "https://", "data:")) for _, _, value in fetched)
    assert not re.search(r"url\(|@import", page)


def test_markdown_reads_no_mark_of_the_inventory() -> None:
    text = markdown(review("fr", inventory=hostile()))
    lines = [line for line in text.splitlines() if "alert" in line]
    assert lines
    for line in lines:
        assert not re.search(r"(?<!\\)<(?!br>)|(?<!\\)\*x|(?<!\\)`|(?<!\\)\[a", line), line
    table = next(line for line in text.splitlines() if line.startswith("| 1 |"))
    assert len(re.findall(r"(?<!\\)\|", table)) == 16, "fifteen columns, whatever a cell holds"


def test_french_spaces_do_not_break() -> None:
    for text in (html(review("fr")), markdown(review("fr"))):
        body = re.sub(r"<style>.*?</style>|https?://\S+|style=\"[^\"]*\"", "", text, flags=re.S)
        assert not re.findall(r"\w (?=[:;?!»])|« ", re.sub(r"<[^>]*>|:? ?--- ?", "", body))


def keys(content: Any, path: str = "") -> set[str]:
    if isinstance(content, dict):
        return set().union(*(keys(value, f"{path}.{key}") for key, value in content.items()))
    if isinstance(content, list):
        return {f"{path}[{len(content)}]", *(key for each in content for key in keys(each, f"{path}[]"))}
    assert isinstance(content, str), path
    return {path}


@pytest.mark.parametrize("folder", ["document", "review"])
def test_both_languages_say_the_same(folder: str) -> None:
    paths = (data_path("templates", folder, f"words.{lang}.yml") for lang in LANGS)
    fr, en = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths)
    assert keys(fr) == keys(en)


# Words that only one of the two languages has; what people declare, and titles of sources, stay in their own.
FRENCH = r"\b(le|la|les|des|une|du|est|pour|avec|dans|aucune?|échu|machine virtuelle|prestataire|hébergeur)\b"
ENGLISH = r"\b(the|of|and|with|for|is|none|from|until|provider|hospital|software|expected)\b"


def labels(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [label for value in content.values() for label in labels(value)]
    return [label for each in content for label in labels(each)] if isinstance(content, list) else [content]


@pytest.mark.parametrize(("lang", "foreign"), [("fr", ENGLISH), ("en", FRENCH)])
def test_no_label_is_in_the_other_language(lang: Lang, foreign: str) -> None:
    mine = [re.sub(r"{.*?}", "", each) for each in labels(dict(words("review", lang)))]
    assert [each for each in mine if re.search(foreign, each, re.I)] == []


@pytest.mark.parametrize(("lang", "other"), [("fr", "en"), ("en", "fr")])
def test_no_label_of_the_other_language_is_shown(lang: Lang, other: Lang) -> None:
    """What people declare, and titles of sources, stay in their own."""
    mine, theirs = (set(labels(dict(words("review", each)))) for each in (lang, other))
    text = Page(html(review(lang))).text
    assert [each for each in theirs - mine if len(each) > 12 and "{" not in each and plain(each) in text] == []


@pytest.mark.parametrize("lang", LANGS)
def test_the_document_says_its_language(lang: Lang) -> None:
    assert ("html", "lang", lang) in Page(html(review(lang))).attributes


def test_the_document_for_programs_keeps_its_names() -> None:
    document = review("fr").document()
    assert {"site", "as_of", "verdict", "requirements", "flows", "raci"} <= set(document)
    assert document["site"] == "chv-demo"
    assert document["as_of"] == DAY.isoformat()
    assert document["verdict"] == "non_compliant"
    for each in document["requirements"]:
        assert {"id", "status", "owner", "severity", "reason", "source", "source_date", "missing"} <= set(each)
    assert document["requirements"][2]["missing"] == ["documents.art28"]
    assert document["inventory"] == {"commit": "c0ffee" * 6 + "c0ff", "modified": True, "sha256": SHA}
    assert len(document["flows"]) >= len(demo().flows)
    assert [row["deviates"] for row in document["raci"]] == [False, True, False]
    assert document["raci"][2]["letters"] is None
    assert set(document["blocking"]) == {each.requirement.id for each in judgement().stopped_by("block")}


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [(1, "jours", "1 jour"), (2, "jours", "2 jours"), (1, "days", "1 day"), (True, "jours", "oui")],
)
def test_one_is_singular(value: object, unit: str, wanted: str) -> None:
    assert shown(value, "fr", unit) == wanted


def test_a_copy_of_each_day_is_said_so() -> None:
    """« tous les 1 j » is no French."""
    backup = words("review", "fr")["backup"]
    assert "chaque jour" in backup["daily"]
    assert "tous les {days} jours" in backup["distance"]
