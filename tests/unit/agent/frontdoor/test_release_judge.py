"""What undoes an update by what clients met: no client decides alone, whatever it asks and however often."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from filae_ops.agent.frontdoor.access_log import Outcome
from filae_ops.agent.frontdoor.release_judge import Judge

NEW, OLD = "unix:/run/filae/web-green.sock", "unix:/run/filae/web-blue.sock"
STRANGER = 999


def met(
    requests: int, clients: Sequence[int] = range(5), *, status: int = 200, seconds: float | None = 0.01,
    upstream: str = NEW, begin: float = 2.0, within: float = 12.0,
) -> list[Outcome]:  # fmt: skip
    """Return so many requests of each client, its first and its last so many seconds apart."""
    step = within / max(1, requests - 1)
    moments = [begin + step * number for number in range(requests)]
    return [Outcome(at, client, status, seconds, upstream) for at in moments for client in clients]


def met_before(
    requests: int, clients: Sequence[int] = range(5), *, status: int = 200, seconds: float = 0.01
) -> list[Outcome]:
    """Return requests that the release before was asked."""
    return met(requests, clients, status=status, seconds=seconds, upstream=OLD, begin=0.0, within=1.0)


def judged(since: Sequence[Outcome], before: Sequence[Outcome] = ()) -> Judge:
    judge = Judge("green", since=1.5)
    judge.add([*(before or met_before(10)), *since])
    return judge


@pytest.mark.parametrize(
    ("since", "words"),
    [
        pytest.param(met(4, status=500), "20 of 20 requests ended with a server error, met by 5 of 5", id="all"),
        pytest.param(met(3, status=500), "", id="a few requests prove nothing"),
        pytest.param(met(19) + met(1, status=500), "", id="one request of twenty"),
        pytest.param(met(18) + met(2, status=502), "10 of 100 requests", id="two of twenty"),
        pytest.param(met(9, range(6)) + met(1, range(3), status=500), "met by 3 of 6 clients", id="half of them"),
        pytest.param(met(9, range(7)) + met(1, range(3), status=500), "", id="less than half of them"),
        pytest.param(met(30, range(2), status=500), "", id="two clients, and nobody else"),
        pytest.param(met(10) + met(10, status=502, upstream=OLD), "", id="the release before"),
        pytest.param(met(20, status=404), "", id="what is not there"),
        pytest.param(met(8, seconds=1.1), "1.10 s or more, of 5 of 5 clients; before it was 0.01 s", id="slow"),
        pytest.param(met(8, seconds=4.0, within=9.9), "", id="the machine itself was held up"),
        pytest.param(met(8, seconds=0.9), "", id="slower, not slow"),
        pytest.param(met(8, status=101, seconds=9.0) + met(2), "", id="websockets"),
        pytest.param(met(8, range(2), seconds=3.0) + met(8, range(2, 5)), "", id="slow for two of five"),
        pytest.param(met(8, range(3), seconds=3.0) + met(8, range(3, 6)), "of 3 of 6 clients", id="slow for half"),
    ],
)  # fmt: skip
def test_a_breach(since: Sequence[Outcome], words: str) -> None:
    assert words in judged(since).breach()
    assert bool(judged(since).breach()) == bool(words)


@pytest.mark.parametrize("others", [[], met(2, range(1)), met(2, range(2)), met(40, range(8))])
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(met(500, [STRANGER], status=500), id="an address that answers 500"),
        pytest.param(met(500, [STRANGER], seconds=9.0), id="a page that takes long"),
        pytest.param(met(500, [STRANGER], status=504, seconds=None), id="a page that never answers"),
    ],
)
def test_one_client_undoes_no_update(asked: list[Outcome], others: list[Outcome]) -> None:
    assert judged(asked + others).breach() == ""


def test_one_client_does_not_make_up_for_the_requests_of_others() -> None:
    """Two met an error in their only request: with a hundred of a third, that is still hardly anything."""
    assert judged(met(1, range(2), status=500) + met(100, [STRANGER], status=500)).breach() == ""


@pytest.mark.parametrize("asked", [met(5000, [STRANGER]), met(5000, [STRANGER], seconds=0.0)])
def test_one_client_saves_no_bad_release(asked: list[Outcome]) -> None:
    assert "met by 5 of 6 clients" in judged(met(8, status=500) + asked).breach()
    assert "of 5 of 6 clients" in judged(met(8, seconds=3.0) + asked).breach()


ADDRESSES = range(100, 120)


@pytest.mark.parametrize("asked", [met(1, ADDRESSES), met(2, ADDRESSES), met(1, ADDRESSES) + met_before(1, ADDRESSES)])
def test_addresses_that_ask_once_or_twice_hide_no_bad_release(asked: list[Outcome]) -> None:
    assert "met by 5 of 5 clients" in judged(met(8, status=500) + asked).breach()
    assert "of 5 of 5 clients" in judged(met(8, seconds=3.0) + asked).breach()


def test_a_few_clients_that_ask_often_hide_nothing_from_those_that_give_up_at_once() -> None:
    assert "met by 20 of 23 clients" in judged(met(2, ADDRESSES, status=500) + met(50, range(3))).breach()


def test_addresses_that_met_an_error_before_make_nothing_bad_look_usual() -> None:
    before = met_before(10) + met_before(1, ADDRESSES, status=500)
    assert "40 of 40 requests" in judged(met(8, status=500), before).breach()


def test_what_failed_before_for_those_that_ask_often_is_not_the_release_s_fault() -> None:
    failing = met(15) + met(5, status=500)
    assert judged(failing + met(1, ADDRESSES), met_before(15) + met_before(5, status=500)).breach() == ""


@pytest.mark.parametrize(
    ("since", "is_judged"),
    [(met(50, range(2)), False), (met(3, range(3)), False), (met(7, range(3)), True), ([], False)],
)
def test_too_few_clients_or_requests_judge_nothing(since: list[Outcome], is_judged: bool) -> None:
    assert judged(since).judged is is_judged


@pytest.mark.parametrize(
    "asked",
    [
        met_before(5000, [STRANGER], status=500),
        met_before(5000, [STRANGER], seconds=30.0),
    ],
)
@pytest.mark.parametrize("before", [[], met_before(1, range(1)), met_before(10)])
def test_one_client_makes_nothing_bad_look_usual(asked: list[Outcome], before: list[Outcome]) -> None:
    assert "40 of 40 requests" in judged(met(8, status=500), asked + before).breach()
    assert "half of the requests" in judged(met(8, seconds=3.0), asked + before).breach()


@pytest.mark.parametrize(
    ("failing_before", "failing", "words"),
    [
        (0, 2, "10 of 100 requests"),
        (4, 5, ""),  # all clients ask for something that never was there
        (4, 6, "30 of 100 requests ended with a server error, met by 5 of 5 clients; before it was 20%"),
    ],
)
def test_what_failed_before_is_not_the_release_s_fault(failing_before: int, failing: int, words: str) -> None:
    before = met_before(20 - failing_before) + met_before(failing_before, status=500)
    judge = judged(met(20 - failing) + met(failing, status=500), before)
    assert words in judge.breach()
    assert bool(judge.breach()) == bool(words)


@pytest.mark.parametrize(("seconds", "words"), [(1.1, ""), (1.3, "1.30 s or more")])
def test_what_was_slow_before_may_be_as_slow(seconds: float, words: str) -> None:
    judge = judged(met(8, seconds=seconds), met_before(10, seconds=0.4))
    assert words in judge.breach()
    assert bool(judge.breach()) == bool(words)


def test_what_the_release_failed_before_the_switch_was_done_excuses_nothing() -> None:
    """In one colour, or after a cut, the release itself has answered between the beginning and then."""
    judge = Judge("green", since=3.0, begun=1.5)
    judge.add(met(10, begin=0.0, within=1.0) + met(1000, status=500, seconds=9.0, begin=1.6, within=1.0))
    judge.add(met(18, begin=4.0) + met(2, begin=4.0, status=500))
    assert judge.median_before == 0.01
    assert "10 of 100 requests" in judge.breach()
    assert "before it was" not in judge.breach()
