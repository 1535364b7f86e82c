"""What is told of a program that failed: a class and a place, no word of its output."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from filae_ops.agent.system import process
from filae_ops.agent.system.process import MOST, Result, Runner, evidence_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "/opt/filae/releases/2/app/x.rb:12:in 'f': Dupont, Marie (ActiveRecord::RecordInvalid)\n"
            "\tfrom /usr/share/rubygems/y.rb:3:in 'g'\n",
            {"exception": "ActiveRecord::RecordInvalid", "frame": "/opt/filae/releases/2/app/x.rb:12"},
        ),
        (
            "rake aborted!\nStandardError: An error has occurred: Marie\n\nCaused by:\n"
            "PG::UndefinedTable: ERROR: Dupont\n"
            "/opt/filae/releases/2/db/migrate/1_a.rb:4:in `change'\n",
            {"exception": "PG::UndefinedTable", "frame": "/opt/filae/releases/2/db/migrate/1_a.rb:4"},
        ),
        (
            '/usr/lib/ruby/pg/connection.rb:3:in `exec\': ERROR: "dupont:1:in" (PG::UndefinedTable)\n'
            "\tfrom /opt/filae/releases/2/bin/migrate:17:in `block in <main>'\n",
            {"exception": "PG::UndefinedTable", "frame": "/opt/filae/releases/2/bin/migrate:17"},
        ),
        ("Note: Marie Dupont\n", {}),
        ("", {}),
    ],
)
def test_evidence_is_a_class_and_a_frame_and_no_word_of_the_output(text: str, found: dict[str, str]) -> None:
    evidence = evidence_of(text)
    assert evidence == found
    assert "Dupont" not in json.dumps(evidence)
    assert "Marie" not in json.dumps(evidence)


@pytest.mark.parametrize(
    ("script", "out", "err", "cut"),
    [
        ("cat; printf no >&2", "é\u2028\n" * 1000, "no", False),
        ("head -c 3000000 /dev/zero | tr '\\0' a; printf END", "a" * 9_997 + "END", "", True),
        ("head -c 3000000 /dev/zero | tr '\\0' a >&2; printf END >&2", "", "a" * 9_997 + "END", False),
        ("exec 1>&- 2>&-; sleep 0.1", "", "", False),
    ],
    ids=["all of a little", "the end of much", "the end of many errors", "nothing"],
)
def test_of_what_a_program_prints_the_end_is_kept(script: str, out: str, err: str, cut: bool) -> None:
    result = Runner().run(["sh", "-c", script], stdin="é\u2028\n" * 1000, most=10_000)
    assert (result.status, result.out, result.err, result.cut) == (0, out, err, cut)


def test_what_an_application_prints_does_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        result = Runner().run(["sh", "-c", "head -c 100000000 /dev/zero"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.cut
    assert len(result.out) == MOST
    assert peak < 5 * MOST


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 3", 3), ("sleep 20", 124), ("sleep 20 & exit 0", 124), ("exec 1>&- 2>&-; sleep 20", 124),
     ("kill -9 $$", -9)],
)  # fmt: skip
def test_a_program_has_so_much_time(script: str, status: int) -> None:
    began = time.monotonic()
    result = Runner().run(["sh", "-c", script], stdin="x" * 1_000_000, timeout=0.5)
    assert result.status == status
    assert result.err == ("no answer in 0.5 s" if status == 124 else "")
    assert time.monotonic() - began < 10


def test_a_program_that_is_absent_has_status_127() -> None:
    assert Runner().run(["/nowhere/program"], stdin="x") == Result(
        127, "", "/nowhere/program: No such file or directory"
    )


FAILURE = "/opt/filae/releases/2/app/x.rb:12:in 'f': Dupont (ActiveRecord::RecordInvalid)"


@pytest.mark.parametrize(
    "texts",
    [
        ("a" * 5_000_000 + "\n" + FAILURE,),
        ("/a" * 500_000 + "\n" + FAILURE + "\n" + "/a" * 5_000,),
        (FAILURE.replace("Dupont", "Dupont " * 5_000),),
        (FAILURE, "/a" * 500_000),
    ],
    ids=["a long line before", "long lines around", "a long message", "a long text beside it"],
)
def test_of_a_long_output_the_end_is_looked_at(monkeypatch: pytest.MonkeyPatch, texts: tuple[str, ...]) -> None:
    seen: list[str] = []

    class Watched:
        def __init__(self, pattern: re.Pattern[str]) -> None:
            self.pattern = pattern

        def finditer(self, text: str) -> Iterator[re.Match[str]]:
            seen.append(text)
            return self.pattern.finditer(text)

    for name in ("_CLASSES", "_FRAME"):
        monkeypatch.setattr(process, name, Watched(getattr(process, name)))
    found = evidence_of(*texts)
    assert found == {"exception": "ActiveRecord::RecordInvalid", "frame": "/opt/filae/releases/2/app/x.rb:12"}
    assert len(seen) == 2
    assert all(len(text) <= len(texts) * 65_537 for text in seen)
    assert all(len(line) <= 1000 for text in seen for line in text.split("\n"))


def test_a_path_is_looked_for_where_it_begins_and_not_again_from_each_of_its_characters() -> None:
    text = "/a" * 200 + ".rb:3"
    assert [place for place in range(len(text)) if process._FRAME.match(text, place)] == [0]
