"""Every code that the host checks can say has its words in both languages, and no words are left without a code."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from functools import cache

import pytest
import typer.main
from material.host_checks import Said, documented_checks, everything_said

from filae_ops.agent import arguments
from filae_ops.cli import app
from filae_ops.report.document.check_words import BROKE, HOLDS, SHARED, check_words, placeholders
from filae_ops.vocabulary import OWNERS

LANGUAGES = ("en", "fr")
PARTY = re.compile(rf"(?:^|; )({'|'.join(OWNERS)}): ")
# What follows the name of one of our two programs is a command of it; the name alone stands for the program.
COMMAND = re.compile(r"\b(filae-ops|filaectl) ([a-z]+)")
PROSE = {"is", "est", "and"}


def entry(said: Said, lang: str) -> tuple[str, dict[str, str]]:
    """Return the words of what is said, and the name that they stand under."""
    table = check_words(lang)["checks"]
    name = said.check if said.code in table[said.check] else SHARED
    assert said.code in table[name], f"{said.place}: {said.check} says {said.code!r}, without words in {lang}"
    return name, table[name][said.code]


def entries(lang: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    for check, codes in check_words(lang)["checks"].items():
        yield from ((check, code, words) for code, words in codes.items() if code != HOLDS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_code_has_words_that_show_exactly_its_values(lang):
    for said in everything_said():
        _, words = entry(said, lang)
        shown = placeholders(words["message"]) | placeholders(words.get("next", ""))
        assert said.values == shown, said.place
        assert said.how != "broken" or words.get("next"), f"{said.place}: {said.code} says no next step in {lang}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_words_are_without_a_code(lang):
    used = {(entry(said, lang)[0], said.code) for said in everything_said()} | {(SHARED, BROKE)}
    assert {(check, code) for check, code, _ in entries(lang)} - used == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_next_step_begins_with_who_acts_and_names_commands_that_exist(lang):
    for check, code, words in entries(lang):
        step = words.get("next", "")
        assert not step or PARTY.match(step), f"{check}: {code}"
        for program, name in COMMAND.findall(step):
            assert name in commands(program) | PROSE, f"{check}: {code}: {program} {name}"


@cache
def commands(program: str) -> set[str]:
    if program == "filae-ops":
        return set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    (inner,) = (each for each in arguments.parser()._actions if isinstance(each, argparse._SubParsersAction))
    return set(inner.choices)


def test_both_languages_say_the_same():
    english, french = ({(check, code): words for check, code, words in entries(lang)} for lang in LANGUAGES)
    assert set(english) == set(french)
    for key, words in english.items():
        assert set(words) == set(french[key]) <= {"message", "next"}, key
        assert shown(words) == shown(french[key]), key
        steps = (words.get("next", ""), french[key].get("next", ""))
        assert PARTY.findall(steps[0]) == PARTY.findall(steps[1]), key
        assert COMMAND.findall(steps[0]) == COMMAND.findall(steps[1]), key


def shown(words: dict[str, str]) -> list[str]:
    """Return the values that words show, with their forms."""
    return sorted({part for text in words.values() for part in re.findall(r"\{[^}]*\}", text)})


def test_each_check_says_what_holds_as_its_own_documentation_does():
    documented = documented_checks()
    for lang in LANGUAGES:
        table = {check: codes for check, codes in check_words(lang)["checks"].items() if check != SHARED}
        assert set(table) == set(documented)
        assert all(codes[HOLDS].endswith(".") for codes in table.values())
    assert {
        check: codes[HOLDS] for check, codes in check_words("en")["checks"].items() if check != SHARED
    } == documented
