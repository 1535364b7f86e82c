"""What is watched after a switch, and what undoes it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import FakeRunner, machine_at, put_release

from filae_ops.agent.frontdoor.access_log import Judge, Log, Outcome, parse
from filae_ops.agent.runtime import health
from filae_ops.agent.steps.soak import Soak
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

PLAN = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire", "2.0.0", "blue")
NEW, OLD = "unix:/run/filae/web-green.sock", "unix:/run/filae/web-blue.sock"


def line(at: float, status: int = 200, seconds: float = 0.01, upstream: str = NEW) -> str:
    return f"{at:.3f} {status} {seconds:.3f} {upstream}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"1795304350.074 502 0.007 unix:/run/filae/web-green.sock", Outcome(1795304350.074, 502, 0.007, NEW)),
        (b"1795304350.074 200 0.000 -", None),
        (b"1795304350.074 200", None),
        (b"now 200 0.007 unix:/x", None),
        ("1795304350.074 200 0.007 é".encode(), None),
        (b"", None),
    ],
)
def test_a_line_is_read_or_left(text: bytes, found: Outcome | None) -> None:
    assert parse(text) == found


@pytest.mark.parametrize("name", ["outcome.log", "outcome.log.1"])
def test_a_pipe_in_the_log_s_place_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(OSError, match="is not a regular file"):
        Log(tmp_path / "outcome.log").history()


def test_a_rotation_loses_no_line(tmp_path: Path) -> None:
    path, moved = tmp_path / "outcome.log", tmp_path / "outcome.log.1"
    path.write_text(line(1) + line(2))
    log = Log(path)
    assert [one.at for one in log.history()] == [1, 2]
    with path.open("a") as still_open:
        still_open.write(line(3) + "4.0")
        still_open.flush()
        assert [one.at for one in log.new()] == [3]
        path.rename(moved)  # logrotate; nginx writes on until it is told
        assert log.new() == []
        path.touch()
        still_open.write(line(4).removeprefix("4.0"))
        still_open.flush()
        assert [one.at for one in log.new()] == [4]
        still_open.write(line(5))
    path.write_text(line(6))
    assert [one.at for one in log.new()] == [5, 6]
    path.write_text(line(7)[:8])
    assert log.new() == []
    path.write_text(line(7))
    assert [one.at for one in log.new()] == [7]


def test_the_history_reaches_into_the_file_before(tmp_path: Path) -> None:
    (tmp_path / "outcome.log.1").write_text(line(1))
    log = Log(tmp_path / "outcome.log")
    assert [one.at for one in log.history()] == [1]
    (tmp_path / "outcome.log").write_text(line(2))
    assert [one.at for one in log.new()] == [2]


def some(
    number: int, status: int = 200, seconds: float = 0.01, upstream: str = NEW, within: float = 10.0
) -> list[Outcome]:
    """Return outcomes, the first and the last so many seconds apart."""
    return [Outcome(2.0 + within * n / max(1, number - 1), status, seconds, upstream) for n in range(number)]


@pytest.mark.parametrize(
    ("before", "since", "words"),
    [
        (0.01, some(19, 500), ""),
        (0.01, some(20, 500), "20 of 20 requests"),
        (0.01, some(95) + some(5, 500), ""),
        (0.01, some(94) + some(6, 502), "6 of 100 requests"),
        (0.01, some(100) + some(50, 502, upstream=OLD), ""),
        (0.01, some(100, 404), ""),
        (0.01, some(40, seconds=1.1), "1.10 s or more; before it was 0.01 s"),
        (0.01, some(40, seconds=4.0, within=9.9), ""),  # the machine itself was held up
        (0.01, some(40, seconds=0.9), ""),
        (0.40, some(40, seconds=1.1), ""),
        (0.40, some(40, seconds=1.3), "1.30 s"),
        (0.01, some(19, seconds=9.0) + some(1, 101, 9.0), ""),
        (0.01, some(40) + some(30, 101, 9.0), ""),
        (0.01, some(10, 499, 30.0) + some(10, 200, 30.0), "30.00 s"),
    ],
)
def test_a_breach(before: float, since: Sequence[Outcome], words: str) -> None:
    judge = Judge("green", since=1.5)
    judge.add([Outcome(1.0, 200, before, OLD)] * 30)
    judge.add(since)
    assert words in judge.breach()
    assert bool(judge.breach()) == bool(words)


@pytest.mark.parametrize(
    ("failing_before", "of", "failing", "words"),
    [
        (0, 100, 6, "6 of 100 requests"),
        (20, 100, 24, ""),  # a program that asks for what is not there: it did before too
        (20, 100, 26, "26 of 100 requests ended with a server error; before it was 20%"),
        (19, 19, 6, "6 of 100 requests"),  # so few say nothing of how it was
    ],
)
def test_what_failed_before_is_not_the_release_s_fault(failing_before: int, of: int, failing: int, words: str) -> None:
    judge = Judge("green", since=1.5)
    judge.add([Outcome(1.0, 500, 0.01, OLD)] * failing_before + [Outcome(1.0, 200, 0.01, OLD)] * (of - failing_before))
    judge.add(some(100 - failing) + some(failing, 500))
    assert words in judge.breach()
    assert bool(judge.breach()) == bool(words)


def test_what_the_release_failed_before_the_switch_was_done_excuses_nothing() -> None:
    """In one colour, or after a cut, the release itself has answered between the beginning and then."""
    judge = Judge("green", since=3.0, begun=1.5)
    judge.add([Outcome(1.0, 200, 0.01, NEW)] * 30 + [Outcome(2.0, 500, 9.0, NEW)] * 1000)
    judge.add([Outcome(4.0, 500, 0.01, NEW)] * 10 + [Outcome(4.0, 200, 0.01, NEW)] * 90)
    assert (judge.median_before, judge.share_before) == (0.01, 0.0)
    assert "10 of 100 requests" in judge.breach()


class Watched:
    """A machine whose new release was just switched to."""

    def __init__(self, tmp_path: Path, **timings: float) -> None:
        self.shown = {"ActiveState": "active", "NRestarts": "0"}
        self.runner: FakeRunner
        self.machine: Machine
        answers = {
            "systemctl show": lambda argv, stdin: Result(0, "".join(f"{k}={v}\n" for k, v in self.shown.items()))
        }
        self.machine, self.runner = machine_at(tmp_path, answers, timings={"soak": 0.25, **timings})
        put_release(self.machine, "2.1.0")
        self.machine.layout.outcomes.parent.mkdir(parents=True)
        self.machine.layout.outcomes.write_text(line(time.time() - 60, upstream=OLD) * 30)
        self.write = partial(Journal(self.machine.layout.journal).write, tx="t1")
        self.write("begin", **plans.as_fields(PLAN))
        self.write("done", step="switch", seconds=1.0)
        self.noted: list[dict[str, Any]] = []

    def soak(self, plan: Plan = PLAN) -> dict[str, Any]:
        return dict(Soak(self.machine, plan, lambda event, **fields: self.noted.append(fields)).do() or {})

    def requests(self, number: int, **what: Any) -> None:
        with self.machine.layout.outcomes.open("a") as stream:
            stream.write(line(time.time() + 1, **what) * number)


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(health, "problem", lambda *a: "")
    return Watched(tmp_path)


def test_a_release_that_does_well_is_watched_to_the_end(watched: Watched) -> None:
    watched.requests(30)
    assert watched.soak() == {"soaked": 0.25, "requests": 30, "server_errors": 0}


def test_a_person_sees_how_far_it_is(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) / 10)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    object.__setattr__(watched.machine.config, "timings", {**watched.machine.config.timings, "soak": 3.0})
    watched.soak()
    assert len(watched.noted) == 2
    assert {"step", "seconds", "of", "requests", "server_errors"} == set(watched.noted[0])


def test_errors_undo_with_their_evidence(watched: Watched) -> None:
    watched.requests(20)
    watched.requests(10, status=500)
    with pytest.raises(Failed, match="10 of 30 requests") as caught:
        watched.soak()
    assert caught.value.evidence["statuses"] == "20 x 200, 10 x 500"
    assert caught.value.evidence["median_before"] == 0.01


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ({"NRestarts": "1"}, "filae-web@green.service ended and was started again, 1 times"),
        ({"ActiveState": "failed"}, "filae-web@green.service is failed"),
        ({"ActiveState": "inactive"}, "is inactive"),
        ({"ActiveState": "activating"}, ""),
    ],
)
def test_a_unit_that_does_not_stay_up(watched: Watched, shown: dict[str, str], words: str) -> None:
    watched.shown |= shown
    if not words:
        watched.soak()
        return
    with pytest.raises(Failed, match=words):
        watched.soak()


@pytest.mark.parametrize(
    ("answers", "breach"),
    [(["", "x", "x", ""], False), (["x", "x", "x"], True), (["", "", "x", "x", "x"], True)],
)
def test_health_three_times_in_a_row(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, answers: list[str], breach: bool
) -> None:
    told, clock = iter(answers), iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) / 100)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(health, "problem", lambda *a: next(told, ""))
    if not breach:
        watched.soak()
        return
    with pytest.raises(Failed, match="3 times in a row: x"):
        watched.soak()


def test_after_a_cut_it_starts_again_from_then(watched: Watched) -> None:
    with watched.machine.layout.outcomes.open("a") as stream:
        stream.write(line(time.time(), status=502) * 100)  # the machine was starting
    watched.write("recover", attempt=1)
    watched.shown["NRestarts"] = "3"
    time.sleep(0.01)
    assert watched.soak()["server_errors"] == 0


def test_a_first_installation_has_nothing_to_be_compared_with(watched: Watched) -> None:
    plan = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire")
    assert "not_run" in watched.soak(plan)
