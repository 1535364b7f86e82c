"""What is told of a program that failed: a class and a place, no word of its output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from filae_ops.agent.system import process
from filae_ops.agent.system.process import evidence_of


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
