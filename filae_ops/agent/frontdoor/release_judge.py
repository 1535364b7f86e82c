"""Compares what a release's clients meet with what those of the release before met, each client counting alike.

No client decides alone, however often it asks: half of those seen must fare worse, and three at least. It is looked at
among all clients, then among those that asked several times: addresses that ask once hide nothing from these.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from filae_ops.agent.frontdoor.access_log import Outcome

ENOUGH = 20
OF_A_CLIENT = 10
CLIENTS = 3
SEVERAL = 3
SHARE = 0.05
SLOW = 1.0
# A machine that its host holds up for a moment is slow for all that waited; a slow release stays slow.
SPAN_SECONDS = 10.0
TIMES = 3.0
_RECENT = 500


@dataclass
class Client:
    """What one client has met."""

    requests: int = 0
    failures: int = 0
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    span: float = 0.0
    _first: float | None = None

    def add(self, outcome: Outcome) -> None:
        """Take one of its requests in."""
        self.requests += 1
        self.failures += outcome.status >= 500
        if outcome.seconds is not None and outcome.status != 101:  # a websocket's times are its user's
            self.seconds.append(outcome.seconds)
            self._first = outcome.at if self._first is None else self._first
            self.span = max(self.span, outcome.at - self._first)

    @property
    def share(self) -> float:
        """Return which share of its requests ended with a server error."""
        return self.failures / self.requests

    @property
    def median(self) -> float:
        """Return how long half of its requests waited for their answers, or longer."""
        return statistics.median(self.seconds) if self.seconds else 0.0


class Judge:
    """Compares how a colour answers since a moment with how requests were answered before `begun`.

    What ended between the two says nothing of the release before: in one colour, the new one answered already.
    """

    def __init__(self, colour: str, since: float, begun: float | None = None) -> None:
        self._upstream = f"unix:/run/filae/web-{colour}.sock"
        self._since = since
        self._begun = since if begun is None else min(begun, since)
        self._before: Mapping[int, Client] = defaultdict(Client)
        self._clients: Mapping[int, Client] = defaultdict(Client)
        self.statuses: Counter[int] = Counter()

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take outcomes in."""
        for outcome in outcomes:
            if outcome.at < self._begun:
                self._before[outcome.client].add(outcome)
            elif outcome.at >= self._since and outcome.upstream == self._upstream:
                self.statuses[outcome.status] += 1
                self._clients[outcome.client].add(outcome)

    @property
    def clients(self) -> int:
        """Return how many clients the colour has had."""
        return len(self._clients)

    @property
    def requests(self) -> int:
        """Return how many requests the colour has had."""
        return self.statuses.total()

    @property
    def failures(self) -> int:
        """Return how many of them it failed."""
        return sum(number for status, number in self.statuses.items() if status >= 500)

    @property
    def median(self) -> float:
        """Return the median of its clients' medians, in seconds."""
        return _median([client.median for client in self._clients.values() if client.seconds])

    @property
    def median_before(self) -> float:
        """Return the median of the clients' medians before; so few as decide nothing say nothing."""
        return _median_wait(self._before.values())

    @property
    def judged(self) -> bool:
        """Tell whether the colour has had enough clients, and requests of theirs, to be judged by them."""
        return _enough(self._clients.values())

    def breach(self) -> str:
        """Return what is worse than it may be, or nothing."""
        before, since = list(self._before.values()), list(self._clients.values())
        if worse := self._failing(since, before) or self._slow(since, before):
            return worse
        # Like is compared with like, where there is enough of it.
        before, since = _asking_several_times(before) or before, _asking_several_times(since)
        return self._failing(since, before) or self._slow(since, before)

    def _failing(self, since: Collection[Client], before: Collection[Client]) -> str:
        # What failed as often before is not this release's fault.
        usual = _median_share(before)
        failing = [client for client in since if client.share > SHARE + usual]
        if not _decide(failing, since):
            return ""
        was = f"; before it was {usual:.0%}" if usual else ""
        met = f"met by {len(failing)} of {len(since)} clients"
        return f"{self.failures} of {self.requests} requests ended with a server error, {met}{was}"

    def _slow(self, since: Collection[Client], before: Collection[Client]) -> str:
        usual = _median_wait(before)
        lasting = [client for client in since if client.span >= SPAN_SECONDS]
        slow = [client for client in lasting if client.median > max(SLOW, TIMES * usual)]
        if not _decide(slow, lasting):
            return ""
        wait = min(client.median for client in slow)
        of = f"of {len(slow)} of {len(lasting)} clients"
        return f"half of the requests take {wait:.2f} s or more, {of}; before it was {usual:.2f} s"


def _asking_several_times(clients: Collection[Client]) -> list[Client]:
    """Return those that asked SEVERAL times or more; nobody where these are too few to decide."""
    several = [client for client in clients if client.requests >= SEVERAL]
    return several if _enough(several) else []


def _median_wait(clients: Collection[Client]) -> float:
    """Return the median of the clients' medians; so few as decide nothing say nothing."""
    timed = [client for client in clients if client.seconds]
    return _median([client.median for client in timed]) if _enough(timed) else 0.0


def _median_share(clients: Collection[Client]) -> float:
    """Return the median of the shares that failed of each client's requests; so few as decide nothing say nothing."""
    return _median([client.share for client in clients]) if _enough(clients) else 0.0


def _decide(worse: Collection[Client], seen: Collection[Client]) -> bool:
    return _enough(seen) and len(worse) >= max(CLIENTS, len(seen) / 2)


def _enough(clients: Collection[Client]) -> bool:
    """Tell whether these prove anything; of one that asks often, few requests count."""
    requests = sum(min(client.requests, OF_A_CLIENT) for client in clients)
    return len(clients) >= CLIENTS and requests >= ENOUGH


def _median(values: Collection[float]) -> float:
    return statistics.median(values) if values else 0.0
