"""One transaction on several machines: one after the other, stopping at the first that fails."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from filae_ops.errors import INTERRUPTED, OpsError
from filae_ops.remote import rollout
from filae_ops.remote.progress import Rollout
from filae_ops.remote.rollout import ASKING, Results, Target, roll_out
from filae_ops.remote.ssh import Login

TIME = "2026-01-01T10:00:00.000+00:00"
BEGIN = {"event": "begin", "time": TIME, "kind": "deploy", "from_version": "2.0.0", "version": "2.1.0",
         "colour": "green", "tx": "t1"}  # fmt: skip
GOOD = [BEGIN, {"event": "done", "time": TIME, "step": "stage", "seconds": 1.0}, {"event": "committed", "time": TIME}]
BAD = [BEGIN, {"event": "failed", "time": TIME, "step": "start", "reason": "no boot"},
       {"event": "rolled-back", "time": TIME}]  # fmt: skip


def target(name: str) -> Target:
    return Target(name, SimpleNamespace(name=name), Path("/sites") / name)  # type: ignore[arg-type]


class Case:
    """Three machines whose agents answer from a table."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], *, terminal: bool = False) -> None:
        self.answers = answers
        self.text = io.StringIO()
        console = Console(file=self.text, force_terminal=terminal, width=80, highlight=False)
        self.progress = Rollout(console, list(answers))
        self.results = Results()

        @contextlib.contextmanager
        def connect(host: Any, login: Login) -> Iterator[Any]:
            yield SimpleNamespace(host=host)

        monkeypatch.setattr(rollout, "connect", connect)

    def run(self) -> None:
        with self.progress:
            roll_out([target(name) for name in self.answers], Login(), self.act, self.progress, self.results)

    def act(self, remote: Any, show: Callable[[Any], None], state: Callable[[str], None]) -> list[Any]:
        state("sending filae-2.1.0.tar.zst")
        answer = self.answers[remote.host.name]
        if isinstance(answer, BaseException):
            raise answer
        state(ASKING)
        for event in answer:
            if event is KeyboardInterrupt:
                raise KeyboardInterrupt
            show(event)
        return list(answer)


def test_each_machine_has_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, {"one": GOOD, "two": GOOD})
    case.run()
    lines = case.text.getvalue().splitlines()
    assert "one: sending filae-2.1.0.tar.zst" in lines
    assert "one: [10:00:00]   stage      done in 1.0 s" in lines
    assert "one: committed (0 s)" in lines
    assert lines.index("two: connecting") > lines.index("one: committed (0 s)")
    assert case.results.document()["ok"] is True


def test_one_machine_alone_is_not_named_on_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, {"one": GOOD})
    case.run()
    assert "[10:00:00] deploy 2.0.0 -> 2.1.0 (green), transaction t1" in case.text.getvalue().splitlines()


def test_the_first_that_fails_stops_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, {"one": GOOD, "two": BAD, "three": GOOD, "four": GOOD})
    with pytest.raises(OpsError, match="two: step start failed: no boot; undone") as error:
        case.run()
    assert "not touched: three, four" in str(error.value)
    assert [each["host"] for each in case.results.hosts] == ["one", "two"]
    assert case.results.document()["ok"] is False
    assert "two: failed, and undone (0 s)" in case.text.getvalue()
    assert "three" not in case.text.getvalue()


def test_a_machine_that_cannot_be_reached_stops_the_rest_and_keeps_what_was_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case(monkeypatch, {"one": GOOD, "two": OpsError("two: no route"), "three": GOOD})
    with pytest.raises(OpsError, match="two: no route\n  not touched: three"):
        case.run()
    assert [(each["host"], each["ok"]) for each in case.results.hosts] == [("one", True), ("two", False)]


def test_a_refusal_on_the_only_machine_leaves_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, {"one": OpsError("one: refused")})
    with pytest.raises(OpsError, match="one: refused"):
        case.run()
    assert case.results.hosts == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [(KeyboardInterrupt(), "nothing was asked yet"), ([BEGIN, KeyboardInterrupt], "it goes on without you")],
    ids=["while sending", "while it runs"],
)
def test_leaving_says_what_goes_on(monkeypatch: pytest.MonkeyPatch, answer: Any, said: str) -> None:
    case = Case(monkeypatch, {"one": answer, "two": GOOD})
    with pytest.raises(OpsError, match=said) as error:
        case.run()
    assert error.value.exit_code == INTERRUPTED
    assert "not touched: two" in str(error.value)


def test_on_a_terminal_every_machine_has_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(monkeypatch, {"one": GOOD, "two": BAD, "three": GOOD}, terminal=True)
    with pytest.raises(OpsError):
        case.run()
    console = Console(file=io.StringIO(), width=80)
    console.print(case.progress.table())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split()[:2] for line in lines] == [["+", "one"], ["x", "two"], ["three", "waiting"]]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("places", "labels"),
    [
        (["/s/a"], ["vm"]),
        (["/s/a", "/s/b"], ["a/vm", "b/vm"]),
        (["/s/a/inventory", "/s/b/inventory"], ["/s/a/inventory/vm", "/s/b/inventory/vm"]),
    ],
)
def test_machines_of_one_name_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, places: list[str], labels: list[str]
) -> None:
    monkeypatch.setattr(
        rollout, "load", lambda path: SimpleNamespace(directory=path, hosts={"vm": SimpleNamespace(name="vm")})
    )
    assert [each.label for each in rollout.targets([Path(place) for place in places])] == labels


def test_one_colour_is_said_aloud_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    mode = {"event": "mode", "mode": "one", "stall_seconds": 4.0, "message": "one colour: requests wait about 4 s"}
    case = Case(monkeypatch, {"one": [mode, *GOOD]})
    case.run()
    lines = case.text.getvalue().splitlines()
    assert lines.index("one colour: requests wait about 4 s") < lines.index(
        "[10:00:00] deploy 2.0.0 -> 2.1.0 (green), transaction t1"
    )


def test_a_site_named_twice_is_updated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = SimpleNamespace(directory=Path("/s/a"), hosts={"vm": SimpleNamespace(name="vm")})
    monkeypatch.setattr(rollout, "load", lambda _: one)
    assert [each.label for each in rollout.targets([Path("/s/a"), Path("/s/a/hosts.yml")])] == ["vm"]
