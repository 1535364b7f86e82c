"""Text from outside is shown to people, never obeyed by their terminal."""

import json

import pytest

from filae_ops.agent.system.plain_text import one_line, plain

OBEYED = ["\x1b[2K", "\x9b2K", "\r", "\x07", "\x00", "\x7f", "\u202e", "\u2066", "\u2028", "\udc9b"]


@pytest.mark.parametrize("text", OBEYED)
def test_what_a_terminal_would_obey_is_spelt_out(text):
    assert plain(f"a{text}b") == f"a\\u{ord(text[0]):04x}{text[1:]}b"
    assert not one_line(f"a{text}b")


@pytest.mark.parametrize("text", ["Hôpital de l'Été « Nord »", "élève 👩‍⚕️", "a\\b $() `x` {{ y }}", ""])
def test_what_people_write_stays(text):
    assert plain(text) == text
    assert one_line(text)


def test_lines_stay_lines_on_a_terminal_and_are_several_in_a_file():
    assert plain("a\n\tb\n") == "a\n\tb\n"
    assert not one_line("a\nb")
    assert not one_line("a\tb")


@pytest.mark.parametrize("text", OBEYED)
def test_json_reads_the_same_value_back(text):
    assert json.loads(plain(json.dumps({"a": text}, ensure_ascii=False))) == {"a": text}
