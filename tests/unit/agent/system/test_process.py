"""What is told of a program that failed: a class and a place, no word of its output."""

from __future__ import annotations

import json

import pytest

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
