"""What is watched after a switch, and what undoes it."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import FakeRunner, machine_at, put_release

from filae_ops.agent.runtime import health
from filae_ops.agent.steps.soak import Soak
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed, Result
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

PLAN = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire", "2.0.0", "blue")
NEW, OLD = "unix:/run/filae/web-green.sock", "unix:/run/filae/web-blue.sock"


def lines(at: float, status: int = 200, seconds: float = 0.01, upstream: str = NEW) -> str:
    """Return what nginx logs of a request of each of five clients."""
    return "".join(f"{at:.3f}\t{client}\t{status}\t{status}\t{seconds:.3f}\t{upstream}\n" for client in range(5))


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
        self.machine.layout.outcomes.write_text(lines(time.time() - 60, upstream=OLD) * 6)
        self.write = partial(Journal(self.machine.layout.journal).write, tx="t1")
        self.write("begin", **plans.as_fields(PLAN))
        self.write("done", step="switch", seconds=1.0)
        self.noted: list[dict[str, Any]] = []

    def soak(self, plan: Plan = PLAN) -> dict[str, Any]:
        return dict(Soak(self.machine, plan, lambda event, **fields: self.noted.append(fields)).do() or {})

    def requests(self, number: int, **what: Any) -> None:
        with self.machine.layout.outcomes.open("a") as stream:
            stream.write(lines(time.time() + 1, **what) * (number // 5))


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(health, "problem", lambda *a: "")
    return Watched(tmp_path)


def test_a_release_that_does_well_is_watched_to_the_end(watched: Watched) -> None:
    watched.requests(30)
    assert watched.soak() == {"soaked": 0.25, "requests": 30, "clients": 5, "server_errors": 0}


def test_a_release_that_too_few_asked_is_not_judged_and_says_so(watched: Watched) -> None:
    watched.requests(15)
    assert watched.soak() == {"soaked": 0.25, "requests": 15, "clients": 5, "server_errors": 0, "judged": False}


def test_a_person_sees_how_far_it_is(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) / 10)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    object.__setattr__(watched.machine.config, "timings", {**watched.machine.config.timings, "soak": 3.0})
    watched.soak()
    assert len(watched.noted) == 2
    assert {"step", "seconds", "of", "requests", "clients", "server_errors"} == set(watched.noted[0])


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


def answering(status: int) -> health.Fetch:
    return lambda target: health.Response(status, body=b'{"version": "2.1.0"}')


def silent(target: str) -> health.Response:
    raise TimeoutError("timed out")


@pytest.mark.parametrize(
    ("front_door", "on_socket", "words"),
    [
        (answering(200), silent, ""),
        (silent, answering(200), ""),  # strangers hold all of nginx's connections
        (silent, answering(503), "3 times in a row: /api/health answers 503"),
        (silent, silent, "3 times in a row: no answer: TimeoutError"),
        (answering(503), answering(200), "3 times in a row: /api/health answers 503"),
    ],
)
def test_a_front_door_that_gives_no_answer_is_not_the_release_s_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, front_door: health.Fetch, on_socket: health.Fetch, words: str
) -> None:
    watched = Watched(tmp_path)
    monkeypatch.setattr(health, "at_front_door", lambda config, timeout: front_door)
    monkeypatch.setattr(health, "on_socket", lambda path, name, timeout: on_socket)
    if not words:
        watched.soak()
        return
    with pytest.raises(Failed, match=words):
        watched.soak()


def test_after_a_cut_it_starts_again_from_then(watched: Watched) -> None:
    with watched.machine.layout.outcomes.open("a") as stream:
        stream.write(lines(time.time(), status=502) * 20)  # the machine was starting
    watched.write("recover", attempt=1)
    watched.shown["NRestarts"] = "3"
    time.sleep(0.01)
    assert watched.soak()["server_errors"] == 0


def test_a_first_installation_has_nothing_to_be_compared_with(watched: Watched) -> None:
    plan = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire")
    assert "not_run" in watched.soak(plan)
