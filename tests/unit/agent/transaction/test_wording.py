"""Each event of the journal in words, and the verdict on a transaction that did not commit."""

from __future__ import annotations

from typing import Any

import pytest

from filae_ops.agent.transaction import wording

TIME = {"time": "2026-01-01T10:00:00.000+00:00"}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"event": "done", "step": "dump", "seconds": 0.1, "not_run": "the schema does not change"},
         "dump       not needed: the schema does not change"),
        ({"event": "soaking", "step": "soak", "seconds": 60.2, "of": 600.0, "requests": 41, "clients": 7,
          "server_errors": 1},
         "soak       watched for 60 of 600 s: 41 requests of 7 clients, 1 of them server errors"),
        ({"event": "done", "step": "soak", "seconds": 600.1, "soaked": 600.0, "requests": 4, "clients": 2,
          "server_errors": 0, "judged": False},
         "done in 600.1 s (soaked: 600.0, requests: 4, clients: 2, server_errors: 0): too few clients to judge"),
        ({"event": "waiting", "step": "migrate", "seconds": 4.0, "attempt": 2, "of": 5, "open": "it may be held by x"},
         "migrate    met a lock, tries again in 4 s, 2 of 5 times; it may be held by x"),
        ({"event": "waiting", "step": "migrate", "seconds": 4.0, "attempt": 2, "of": 5, "open": ""},
         "migrate    met a lock, tries again in 4 s, 2 of 5 times"),
        ({"event": "begin", "from_version": "2.0.0", "version": "2.1.0", "colour": "blue", "kind": "deploy", "tx": "t",
          "mode": "one", "stall": 4.0}, "requests wait about 4 s, as the last start took, none is refused"),
        ({"event": "maintenance-on", "by": "luc", "until": None}, "maintenance on by luc, until it is switched off"),
        ({"event": "maintenance-off", "by": "its end"}, "maintenance off by its end"),
    ],
    ids=lambda value: value["event"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_events_are_told_in_words(event: dict[str, Any], words: str) -> None:
    assert words in wording.line({**event, **TIME})


@pytest.mark.parametrize("name", ["step", "undo", "tidied", "retry-asked", "of a later agent"])
def test_what_only_the_journal_needs_is_not_told(name: str) -> None:
    assert wording.line({"event": name, "step": "stage", **TIME}) == ""


BEGUN = {"event": "begin", "from_version": "2.0.0"}
FAILED = {"event": "failed", "step": "start", "reason": "no boot", "evidence": {"exception": "LoadError"}}


@pytest.mark.parametrize(
    ("events", "message", "step"),
    [
        ([{"event": "committed"}], None, ""),
        ([FAILED, {"event": "recover"}, {"event": "committed"}], None, ""),
        ([FAILED, {"event": "rolled-back"}], "step start failed: no boot [exception LoadError]; undone: what served",
         "mend the release"),
        ([BEGUN, FAILED, {"event": "rolled-back"}], "step start failed",
         "deploy that; if the release is good, the one that runs may be in its way: stop, again"),
        ([BEGUN, {**FAILED, "next_step": "enlarge"}], "no boot", "enlarge"),
        ([{**BEGUN, "from_version": None}, FAILED], "no boot", "deploy that"),
        ([FAILED, {"event": "undo-failed"}], "NOT wholly undone", "mend the release"),
        ([FAILED, {"event": "gave-up"}], "NOT wholly undone", "filaectl recover --retry"),
        ([{**FAILED, "owner": "dsi", "next_step": "enlarge"}, {"event": "rolled-back"}], "no boot", "enlarge"),
        ([{"event": "refused", "reason": "held", "next_step": "wait"}], "held", "wait"),
    ],
)  # fmt: skip
def test_the_verdict_says_what_failed_and_what_is_next(
    events: list[dict[str, Any]], message: str | None, step: str
) -> None:
    found = wording.verdict(events, "stop, again")
    if message is None:
        assert found is None
    else:
        assert found is not None
        assert message in found.message
        assert step in found.next_step
        assert ("if the release is good" in found.next_step) is ("if the release is good" in step)


def test_one_colour_is_said_with_its_stall() -> None:
    assert "about 4 s" in wording.one_colour(4.2)
    assert "none is known yet" in wording.one_colour(None)
