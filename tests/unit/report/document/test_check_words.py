"""What a check says: a code with exactly the values of its words, in two languages, and who acts."""

from __future__ import annotations

import pytest

from filae_ops.report.document import check_words
from filae_ops.report.document.check_words import WordsError, wording

WORDS = {
    "en": {
        "parties": {"dsi": "dsi: ", "provider": "provider: "},
        "lists": {"none": "none", "more": "{names} and {left} more", "at": " "},
        "checks": {
            "shared": {"silent": {"message": "no answer: {error}"}},
            "disk": {
                "full": {"message": "{point}: {share} % left", "next": "dsi: enlarge {point}; provider: see what grew"},
                "names": {"message": "{names}", "next": "provider: look"},
                "ends": {"message": "ends on {end:day}, seen {seen:moment}", "next": "provider: look"},
            },
        },
    },
    "fr": {
        "parties": {"dsi": "DSI : ", "provider": "prestataire : "},
        "lists": {"none": "aucun", "more": "{names} et {left} autres", "at": " à "},
        "checks": {
            "shared": {"silent": {"message": "pas de réponse : {error}"}},
            "disk": {
                "full": {
                    "message": "{point} : reste {share} %",
                    "next": "dsi: agrandir {point} ; provider: chercher ce qui a grossi",
                },
                "names": {"message": "{names}", "next": "provider: regarder"},
                "ends": {"message": "se termine le {end:day}, vu le {seen:moment}", "next": "provider: regarder"},
            },
        },
    },
}


@pytest.fixture(autouse=True)
def known_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_words, "check_words", WORDS.__getitem__)


def test_a_cause_says_who_acts_first_in_the_reader_s_language():
    values = {"point": "/srv", "share": 3.25}
    english, french = (wording("disk", "full", values, lang) for lang in ("en", "fr"))
    assert english.message == "/srv: 3.2 % left"
    assert english.next == "dsi: enlarge /srv; provider: see what grew"
    assert (english.owner, english.step) == ("dsi", "enlarge /srv; provider: see what grew")
    assert french.message == "/srv\u00a0: reste 3,2\u00a0%"
    assert french.next == "DSI\u00a0: agrandir /srv\u202f; prestataire\u00a0: chercher ce qui a grossi"
    assert (french.owner, french.step) == ("dsi", "agrandir /srv\u202f; prestataire\u00a0: chercher ce qui a grossi")


def test_what_several_checks_say_is_shared():
    assert wording("disk", "silent", {"error": "timeout"}, "en").message == "no answer: timeout"
    assert wording("disk", "silent", {"error": "timeout"}, "en").owner is None


@pytest.mark.parametrize(
    ("check", "code", "values"),
    [
        ("disk", "empty", {}),
        ("shared", "full", {"point": "/", "share": 1}),
        ("disk", "full", {"point": "/"}),
        ("disk", "full", {"point": "/", "share": 1, "total": 2}),
        ("disk", "names", {"names": True}),
        ("disk", "names", {"names": {"a": 1}}),
    ],
)
def test_a_code_without_words_and_values_that_are_not_theirs_are_faults(check, code, values):
    with pytest.raises(WordsError):
        wording(check, code, values, "en")


@pytest.mark.parametrize(
    ("names", "english", "french"),
    [
        ([], "none", "aucun"),
        (["a"], "a", "a"),
        (["a", "b", "c", "d", "e"], "a, b, c, d, e", "a, b, c, d, e"),
        (list("abcdefgh"), "a, b, c, d and 4 more", "a, b, c, d et 4 autres"),
    ],
)
def test_a_list_is_bounded(names, english, french):
    assert wording("disk", "names", {"names": names}, "en").message == english
    assert wording("disk", "names", {"names": names}, "fr").message == french


def test_days_and_moments_are_written_as_the_reader_writes_them():
    values = {"end": "2026-11-22", "seen": "2026-11-23T10:11:12+01:00"}
    assert wording("disk", "ends", values, "en").message == "ends on 2026-11-22, seen 2026-11-23 10:11"
    assert wording("disk", "ends", values, "fr").message == "se termine le 22/11/2026, vu le 23/11/2026 à 10:11"


def test_texts_of_a_machine_stay_one_plain_line_and_rename_nobody():
    hostile = "a\x1b[2K\nb {point} ; dsi: c" + "x" * 5000
    shown = wording("disk", "silent", {"error": hostile}, "fr").message
    assert shown.startswith("pas de réponse\u00a0: a\\u001b[2K b {point} ; dsi: c")
    assert len(shown) < 400
