"""The time during which a release that serves is watched, and undone when it does worse than it may."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from filae_ops.agent.frontdoor.access_log import Log
from filae_ops.agent.frontdoor.release_judge import Judge
from filae_ops.agent.runtime import health, unit_control
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.steps.switch import PIVOT
from filae_ops.agent.system.process import Failed

IN_A_ROW = 3
TOLD = 10  # times, and at most once a second


class Soak(Deploy):
    """The new release, serving well for long enough."""

    name = "soak"

    def do(self) -> Found:
        """Watch answers, health and units; one that was cut starts again."""
        if not self.plan.from_version:
            return {"not_run": "no release was live before: nobody is used to one"}
        length = self.machine.config.timings["soak"]
        log, judge = Log(self.machine.layout.outcomes), Judge(self.plan.colour, self._since, self._begun)
        try:
            judge.add(log.history())
            self._watch(log, judge, length)
        finally:
            log.close()
        return {"soaked": length, **_told(judge), **({} if judge.judged else {"judged": False})}

    def _watch(self, log: Log, judge: Judge, length: float) -> None:
        started = told = time.monotonic()
        restarts, sick = self._restarts() if self._recovered else {}, 0
        while True:
            judge.add(log.new())
            problem = self._health()
            sick = sick + 1 if problem else 0
            why = judge.breach() or self._unit_problem(restarts)
            if sick >= IN_A_ROW:
                why = why or f"not healthy {sick} times in a row: {problem}"
            if why:
                raise Failed(f"the release does not do well: {why}", **_evidence(judge))
            now = time.monotonic()
            # A problem that shows at the end is looked into: it goes, or it is the third in a row.
            if now - started >= length and not sick:
                return
            if now - told >= max(1.0, length / TOLD):
                told = now
                self.note("soaking", seconds=round(now - started, 1), of=length, **_told(judge))
            time.sleep(min(2.0, max(0.1, length / 30)))

    def _health(self) -> str:
        return health.problem(self.contract, self._ask)

    def _ask(self, target: str) -> health.Response:
        """Ask through the front door; where that gives no answer, as strangers may hold it, ask the release itself."""
        config = self.machine.config
        try:
            return health.at_front_door(config, timeout=5)(target)
        except (OSError, http.client.HTTPException):
            socket = self.machine.layout.socket(self.plan.colour)
            return health.on_socket(socket, config.public_name, timeout=5)(target)

    def _units(self) -> list[str]:
        colour = self.plan.colour
        return [unit_control.web(colour)[1], *(unit_control.worker(name, colour) for name in self.contract.workers)]

    def _restarts(self) -> dict[str, int]:
        return {unit: self._shown(unit)[1] for unit in self._units()}

    def _unit_problem(self, before: Mapping[str, int]) -> str:
        """Return which unit of the release does not stay up; one that a person restarts is no problem."""
        for unit in self._units():
            state, restarts = self._shown(unit)
            if restarts > before.get(unit, 0):
                return f"{unit} ended and was started again, {restarts} times"
            if state in ("failed", "inactive"):
                return f"{unit} is {state}"
        return ""

    def _shown(self, unit: str) -> tuple[str, int]:
        shown = unit_control.show(self.machine, unit, "ActiveState", "NRestarts")
        return shown.get("ActiveState", ""), int(shown.get("NRestarts") or 0)

    @cached_property
    def _recovered(self) -> bool:
        """Tell whether the transaction was cut: what failed while the machine was down is not the release's fault."""
        return any(event["event"] == "recover" for event in self.events)

    @property
    def _begun(self) -> float | None:
        """Return when the transaction began: how things were before is read up to there."""
        return datetime.fromisoformat(self.events[0]["time"]).timestamp() if self.events else None

    @cached_property
    def _since(self) -> float:
        """Return the moment of the switch, or now after a cut."""
        switched = [e["time"] for e in self.events if e["event"] == "done" and e.get("step") == PIVOT]
        return datetime.fromisoformat(switched[-1]).timestamp() if switched and not self._recovered else time.time()


def _told(judge: Judge) -> dict[str, int]:
    return {"requests": judge.requests, "clients": judge.clients, "server_errors": judge.failures}


def _evidence(judge: Judge) -> dict[str, Any]:
    statuses = ", ".join(f"{number} x {status}" for status, number in sorted(judge.statuses.items()))
    return {
        **_told(judge),
        "statuses": statuses,
        "median": round(judge.median, 3),
        "median_before": round(judge.median_before, 3),
    }
