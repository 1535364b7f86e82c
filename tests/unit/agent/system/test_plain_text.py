"""Text from outside is shown to people, never obeyed by their terminal."""

import io
import json
import sys

import pytest

from filae_ops.agent.system.plain_text import PlainStream, guard, one_line, plain

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


@pytest.mark.parametrize("text", OBEYED)
def test_a_guarded_process_prints_nothing_that_a_terminal_obeys(text, capsysbinary):
    guard()
    guard()
    print(f"a{text}b")
    sys.stderr.writelines([text, "b"])
    shown = [stream.decode() for stream in capsysbinary.readouterr()]
    assert shown == [f"{plain(f'a{text}b')}\n", plain(f"{text}b")]


def test_a_guarded_stream_is_in_all_else_the_one_that_it_stands_for():
    bytes_ = io.BytesIO()
    stream = PlainStream(io.TextIOWrapper(bytes_, encoding="utf-8"))
    assert stream.write("a\x1b") == 2
    stream.flush()
    stream.buffer.write(b"\x1b")
    stream.buffer.flush()
    assert bytes_.getvalue() == b"a\\u001b\x1b"
    assert (stream.encoding, stream.isatty(), stream.closed) == ("utf-8", False, False)


def test_a_process_without_output_stays_without(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    guard()
    print("nowhere")
