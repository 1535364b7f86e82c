"""The register in words: both languages, every field named, every measurement said."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from filae_ops import strict_yaml
from filae_ops.register import lookup
from filae_ops.register.lookup import HERE, duties, fields, hosts, immunity_steps, requirements, themes
from filae_ops.report.document.rendering import words

ENTRIES = list(requirements().values())


def measured() -> set[str]:
    """Return the requirements that the checks of a machine carry."""
    decorators = [
        node.decorator_list[0].args[1]  # type: ignore[attr-defined]
        for path in Path(__file__).parents[2].glob("host/test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return {ast.literal_eval(each) for each in decorators}


def test_a_requirement_says_what_is_measured_exactly_when_a_check_measures_it():
    assert {each.id for each in ENTRIES if each.observed_fr} == measured()


def test_every_requirement_has_evidence():
    assert [each.id for each in ENTRIES if not each.declared and not each.observed_fr] == []


def test_every_named_field_is_read():
    conditions = [one for each in ENTRIES for one in (*each.applies.when, *each.declared)]
    read = {one.field for one in conditions}
    read |= {str(one.value) for one in conditions if one.op in ("lte_field", "rpo_covers")}
    read |= {one.unless for each in ENTRIES for one in each.declared if one.unless}
    assert read == set(fields())


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_names_of_fields_fit_in_a_sentence(lang):
    for name in fields().values():
        text = getattr(name, lang)
        assert text[0].islower() or text.split()[0].isupper(), text
        assert not text.endswith("."), text


def test_statements_are_sentences_and_the_rest_is_not():
    for each in ENTRIES:
        assert each.statement_fr.endswith("."), each.id
        assert each.statement_en.endswith("."), each.id
        pieces = [each.title_fr, each.title_en, each.applies.text_fr, each.applies.text_en]
        pieces += [each.observed_fr or "", each.observed_en or ""]
        pieces += [text for one in each.declared for text in (one.proof_fr, one.proof_en)]
        assert [text for text in pieces if text.endswith(".")] == [], each.id


def test_english_is_not_french():
    same = {each.id for each in ENTRIES if each.title_fr == each.title_en or each.statement_fr == each.statement_en}
    assert same == {"TLS-06", "ADM-09"}  # HSTS, PAMS: names


def test_titles_of_a_theme_differ():
    for lang in ("title_fr", "title_en"):
        titles = [(each.theme, getattr(each, lang)) for each in ENTRIES]
        assert len(set(titles)) == len(titles)


def test_every_theme_has_requirements_and_every_file_a_theme():
    assert {each.theme for each in ENTRIES} == set(themes())
    assert {path.stem.upper() for path in (HERE / "requirements").glob("*.yml")} == set(themes())


def test_every_file_is_also_right_for_the_strict_reader():
    for path in HERE.rglob("*.yml"):
        assert strict_yaml.load(path)[0], path


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_code_of_the_register_has_words(lang):
    say = words("requirements", lang)
    for key, codes in {
        "owners": {each.owner for each in ENTRIES},
        "severities": {each.severity for each in ENTRIES},
        "confidences": {each.confidence for each in ENTRIES},
        "bindings": {each.binding for each in ENTRIES},
        "ops": {one.op for each in ENTRIES for one in each.declared},
    }.items():
        assert codes <= set(say[key]), key


def test_nothing_of_how_the_register_was_made_is_left():
    for path in HERE.rglob("*.yml"):
        text = path.read_text()
        assert not [word for word in ("amorce", "seed", "stored page", "ciso-assistant") if word in text], path


def test_the_decision_table_names_requirements():
    assert [each.step for each in immunity_steps()] == [1, 2, 3, 4, 5, 6]
    assert {each.requirement for each in immunity_steps()} <= set(requirements())
    assert immunity_steps()[-1].result == "not_established"  # never immune by default
    assert (immunity_steps()[3].individual_pct, immunity_steps()[3].collective_pct) == (24, 39)


def test_someone_is_accountable_for_every_duty_of_a_model():
    for duty in duties().values():
        for model, letters in duty.models.items():
            assert not letters or any("A" in each for each in letters.values()), (duty.id, model)
    assert {name for name, each in duties().items() if each.activity5} == {
        "D-ACCESS-RIGHTS", "D-ACCESS-PATH", "D-ACCESS-TRACES", "D-ACCESS-APPROVAL",
    }  # fmt: skip


def test_hosts():
    assert len(hosts()) == 23
    assert sum(len(each.services) for each in hosts().values()) == 29
    assert {name for name, each in hosts().items() if each.since_2021 and "trois" in each.since_2021} == {
        "oodrive", "outscale", "ovhcloud",
    }  # fmt: skip


def test_a_qualification_without_its_version_says_why():
    for host in hosts().values():
        for each in host.services:
            known = each.secnumcloud
            if known.status == "qualified":
                assert known.source is not None, each.id
                assert known.version or "confirmer" in (known.note or ""), each.id


def test_countries():
    regions = {"AX", "GF", "GP", "MF", "MQ", "RE", "YT"}
    assert len(lookup.countries("EU") - regions) == 27
    assert regions < lookup.countries("EU")
    assert lookup.countries("EEA") - lookup.countries("EU") == {"IS", "LI", "NO"}
