"""One colour where memory is short for two: the release takes its place under the socket that systemd holds.

Requests wait in the socket's queue for as long as the release takes to start; none is refused. A bad release is
found when it serves already, and the one before is started again under the same socket.
"""

from __future__ import annotations

import time

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import application_database
from filae_ops.agent.frontdoor import nginx, proof
from filae_ops.agent.runtime import health, unit_control
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.steps.switch import PIVOT, Switch
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

# Nginx waits this long for an answer (proxy_read_timeout of role proxy): a start that hangs ends well before,
# so that the release before can answer those who wait.
HELD = 60.0


def start_limit(usual: float, stall: float | None) -> float:
    """Return how long a start may take while requests wait."""
    return min(usual, max(HELD / 2, 2 * (stall or 0)))


class Replace(Deploy):
    """The one colour, restarted with the new release while its socket stays open."""

    name = "replace"

    def do(self) -> Found:
        """Bind the colour to the release and restart it; requests wait in the socket's queue meanwhile."""
        with application_database.as_declared(self.machine):
            return {"stall": self._put(self.contract, "the new release is not healthy")}

    def undo(self) -> Found:
        """Bind the colour to the release before, restart it, and see it from outside."""
        before = self.before
        if before is None:
            raise Failed("no release was live before: there is nothing to put back")
        application_database.try_to_reset_roles(self.machine)
        self._put(before, "the former release is not healthy again")
        if problem := proof.front_door(self.machine, before):
            raise Failed(f"the front door does not serve {before.version} again: {problem}")
        return {"serving": before.version}

    def _put(self, contract: Contract, trouble: str) -> float:
        """Return for how long requests were held; those that waited are answered before it looks healthy to us."""
        machine, colour = self.machine, self.plan.colour
        limit = start_limit(machine.config.timings["start"], self.plan.stall)
        unit_control.prepare_web(machine, contract, colour, start=limit)
        began = time.monotonic()
        restart(machine, colour, limit)
        held = round(time.monotonic() - began, 1)
        # Our question waits behind those who waited.
        fetch = health.on_socket(machine.layout.socket(colour), machine.config.public_name, timeout=HELD)
        if problem := health.wait(contract, fetch, machine.config.timings["health"], times=3):
            raise Failed(f"{trouble}: {problem}", **unit_control.evidence(machine, unit_control.web(colour)[1]))
        return held


class SwitchOne(Switch):
    """The front door, with the new release's files; the colour behind it is the same."""

    name = PIVOT

    def undo(self) -> Found:
        """Put the former includes back; what they serve is proved once the former release runs again."""
        nginx.restore(self.machine, self.plan.id)
        return None

    def check(self) -> str:
        """Look at the colour's release too: a version that no page states would not tell them apart."""
        bound = self.machine.version_in(self.plan.colour)
        if bound != self.plan.version:
            return f"{self.plan.colour} is bound to {bound or 'no release'}"
        return super().check()


def restart(machine: Machine, colour: str, limit: float) -> None:
    """Restart a colour's service; its socket is held throughout, and a request may start it before we do."""
    socket, service = unit_control.web(colour)
    unit_control.enable(machine, socket, service)
    machine.runner.run(["systemctl", "reset-failed", socket, service])
    unit_control.systemctl(machine, "start", socket)
    stopping = 30
    result = machine.runner.run(["systemctl", "restart", service], timeout=limit + stopping + 10)
    if result.status != 0:
        raise Failed(f"{service} does not start", **unit_control.evidence(machine, service))
