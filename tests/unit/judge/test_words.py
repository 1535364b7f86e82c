"""What the judge says: whole sentences, in both languages, with the field, the value and the source."""

from __future__ import annotations

import datetime as dt
import re
from typing import get_args

import pytest
from material.judge_sites import DAY, DROPPED, changed, ght, hds, judged, verdict, vm
from unit.judge.test_judge import FAILS

from filae_ops.judge.case.register import load_register
from filae_ops.judge.case.verdict import STATUSES, Immunity
from filae_ops.judge.operators.table import OPERATORS
from filae_ops.judge.words import immunity_words, name_words, reason, said, sentence, status_words, value_words
from filae_ops.register.hosts import SecNumCloud

NBSP, NARROW = "\u00a0", "\u202f"
LANGS = ("fr", "en")
PROBLEMS = ("absent", "empty", "outside", "not_a_file")


def sites():
    """Yield a site for each fault of the table, and the sites without any."""
    yield from (vm(), hds(), ght(), {}, {"hosting": {"model": "third_party"}})
    for _, site, field, value, _ in FAILS:
        yield changed(site(), **{field.replace(".", "__"): value})


def test_each_finding_has_a_sentence_of_its_own():
    codes = {each.code for tree in sites() for verdict in judged(tree).verdicts for each in verdict.findings}
    general = {f"{op}.{outcome}" for op in OPERATORS for outcome in ("holds", "contrary")}
    assert not codes - set(said("fr")["sentences"]) - general
    kinds = (*get_args(SecNumCloud.model_fields["status"].annotation), "from_memory")
    assert {f"snc.{each}" for each in kinds} - set(said("fr")["sentences"]) == {"snc.qualified", "snc.to_evaluate"}
    assert {f"file.{each}" for each in PROBLEMS} <= set(said("fr")["sentences"])


def test_both_languages_say_the_same_things():
    french, english = said("fr"), said("en")
    assert set(french) == set(english)
    for table in ("statuses", "immunity", "parts", "expect", "sentences", "fields"):
        assert set(french[table]) == set(english[table])
    holes = {code: set(re.findall(r"\{([a-z_]+)\}", text)) - {"duty_en"} for code, text in french["sentences"].items()}
    for code, text in english["sentences"].items():
        assert {each.removesuffix("_en") for each in re.findall(r"\{([a-z_]+)\}", text)} == holes[code], code


@pytest.mark.parametrize("lang", LANGS)
def test_every_verdict_is_said_in_whole_sentences(lang):
    for tree in sites():
        for each in judged(tree).verdicts:
            text = reason(each, lang)
            assert text.endswith("."), text
            assert not re.search(r"[{}]|None|MISSING|  |\.\.|, \.|: \.|\bTrue\b|\bFalse\b", text), text
            assert each.requirement.source.title.rstrip(" .")[:20] in text.replace(NBSP, " ").replace(NARROW, " ")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_file_problem_is_said(lang, problem):
    text = reason(verdict(hds(), "HDS-01", problems={"evidence/hds.pdf": problem}), lang)
    assert "evidence/hds.pdf" in text


def test_french_spaces_are_not_broken():
    for tree in (vm(), hds()):
        for each in judged(tree).verdicts:
            assert not re.search(r"« | »|\S [;:!?](\s|$)", reason(each, "fr"))


@pytest.mark.parametrize("lang", LANGS)
def test_statuses_and_immunity_have_words(lang):
    assert len({status_words(each, lang) for each in STATUSES}) == len(STATUSES)
    assert len({immunity_words(each, lang) for each in get_args(Immunity)}) == 4
    assert "interdiction" in immunity_words("not_immune", "fr")


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace(NARROW, " ")


def test_what_is_said_of_an_expired_certificate():
    text = plain(reason(verdict(hds(), "HDS-05", dt.date(2029, 8, 28)), "fr"))
    assert "(hosting.certificates.hds.to) : 27/08/2029, date passée depuis 1 jour." in text
    assert "Attendu : une date de fin qui n'est pas passée." in text
    assert "Pièce demandée : " in text
    assert text.endswith("— durée et surveillance (17/01/2023).")


def test_what_is_said_of_the_trap():
    text = plain(reason(verdict(changed(vm(), access_governance__traces_owner="provider"), "HDS-07"), "fr"))
    assert "(access_governance.traces_owner) : le prestataire." in text
    assert "doit être certifié pour l'activité 5" in text
    assert text.endswith("(texte sans date).")


def test_what_is_said_of_nothing():
    text = plain(reason(verdict(changed(vm(), documents__aipd=DROPPED), "RGPD-03"), "fr"))
    assert text.startswith("Rien n'est déclaré pour « ")
    assert "(documents.aipd)" in text


def test_what_is_said_of_a_rule_that_nobody_read():
    assert "n'a pas été lue dans son texte" in reason(verdict(vm(), "RGPD-01"), "fr")
    assert "was not read in its text" in reason(verdict(vm(), "RGPD-01"), "en")


def test_what_is_said_where_no_qualification_is_claimed():
    found = verdict(changed(hds(), hosting__certificates__snc=None), "EXT-01")
    assert found.status == "not_applicable"
    assert "ce n'est pas une interdiction" in reason(found, "fr")
    state = changed(hds(), hosting__certificates__snc=None, establishment__kind="state_operator")
    assert "voir SNC-01" in reason(verdict(state, "EXT-01"), "fr")


def test_what_is_said_of_a_share_to_agree_is_said_once():
    text = plain(reason(verdict(ght(), "CTR-02"), "fr"))
    assert text.count("à convenir pour") == 1
    assert "D-POWER, D-HYPERVISOR" in text


def test_what_is_said_of_immunity():
    for tree, lang in ((hds(), "fr"), (hds(), "en"), ({}, "fr")):
        for finding in judged(tree, DAY).immunity.findings:
            assert sentence(finding, None, lang)


@pytest.mark.parametrize(
    ("value", "french"),
    [
        (True, "oui"),
        (None, "néant"),
        ([], "aucun"),
        (["files", "database"], "fichiers, base de données"),
        ("2026-11-30", "30/11/2026"),
        ("2026-11", "11/2026"),
        ("2026", "2026"),
        ({"file": "evidence/a.pdf", "date": "2026-01-01"}, "evidence/a.pdf"),
        ({"cpus": 2}, "renseigné"),
        (7, "7"),
    ],
)
def test_values_as_a_french_reader_writes_them(value, french):
    assert value_words(value, "fr") == french


def test_a_field_without_a_name_is_called_as_what_it_is_in():
    assert name_words("documents.aipd.file", "fr").endswith(" (documents.aipd.file)")
    assert load_register().fields["documents.aipd"].fr in name_words("documents.aipd.file", "fr")
    assert name_words("", "fr") == ""
