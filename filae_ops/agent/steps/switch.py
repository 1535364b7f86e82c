"""The steps that put a prepared release in front of people, and retire the one before."""

from __future__ import annotations

from filae_ops.agent.database import application_database
from filae_ops.agent.frontdoor import nginx, proof, site_include
from filae_ops.agent.runtime import health, unit_control
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.system import durable
from filae_ops.agent.system.process import Failed

PIVOT = "switch"


class Switch(Deploy):
    """The front door, serving the new release."""

    name = PIVOT

    def do(self) -> Found:
        """Replace nginx's includes, load them, and see the new version from outside."""
        nginx.save(self.machine, self.plan.id)
        nginx.put(self.machine, site_include.pair(self.machine, self.contract, self.plan.colour))
        if problem := self.check():
            raise Failed(f"the front door does not serve {self.plan.version}: {problem}")
        return {"public_name": self.machine.config.public_name}

    def undo(self) -> Found:
        """Put the former includes back, once what they lead to answers, and see the former version from outside.

        A new release that half works serves people better than a former one that does not run.
        """
        live, before = self.machine.live(), self.before
        turned = before and live and live.colour == self.plan.colour
        if before and turned and (problem := health.of_colour(self.machine, before, self.plan.from_colour)):
            raise Failed(f"{before.version} does not answer on its own socket, nginx stays as it is: {problem}")
        replaced = nginx.restore(self.machine, self.plan.id)
        problem = proof.front_door(self.machine, self.before) if self.before and replaced else ""
        if problem:
            raise Failed(f"the front door does not serve {self.plan.from_version} again: {problem}")
        return {"serving": self.plan.from_version or None}

    def check(self) -> str:
        """Ask through the front door, several times in a row."""
        live = self.machine.live()
        if live is None or live.colour != self.plan.colour:
            return f"nginx is configured for {live.colour if live else 'no release'}"
        return proof.front_door(self.machine, self.contract)


class Retire(Deploy):
    """The old colour, stopped: its service and its socket, after its last request."""

    name = "retire"

    def do(self) -> Found:
        """Wait for nginx's old workers, then stop; nothing of the colour's units says any more what it ran."""
        if not self.plan.from_colour:
            return {"not_run": "no release was live before"}
        drained = nginx.drain(self.machine, self.machine.config.timings["drain"])
        unit_control.stop_web(self.machine, self.plan.from_colour)
        unit_control.forget_web(self.machine, self.plan.from_colour)
        return {"drained": drained}

    def undo(self) -> Found:
        """Start the old colour again and see it healthy: nginx is turned back to it next."""
        before, colour = self.before, self.plan.from_colour
        if before is None:
            return None
        application_database.try_to_reset_roles(self.machine)
        unit_control.prepare_web(self.machine, before, colour)
        unit_control.start_web(self.machine, colour)
        if problem := health.of_colour(self.machine, before, colour):
            raise Failed(
                f"{before.version} is not healthy again: {problem}",
                **unit_control.evidence(self.machine, unit_control.web(colour)[1]),
            )
        return None


class Workers(Deploy):
    """The processes beside the web server, and the timers, of the new release."""

    name = "workers"

    def do(self) -> Found:
        """Stop the old ones (they finish their job), start the new ones."""
        if self.plan.from_colour:
            unit_control.stop_workers(self.machine, self.plan.from_colour)
        with application_database.as_declared(self.machine):
            started = unit_control.start_workers(self.machine, self.contract, self.plan.colour)
        return {"started": started, "timers": unit_control.set_timers(self.machine, self.contract)}

    def undo(self) -> Found:
        """Stop the new ones, start the old ones, whose launcher reads in their colour's file which release to run."""
        unit_control.stop_workers(self.machine, self.plan.colour)
        if self.before is not None:
            unit_control.prepare_web(self.machine, self.before, self.plan.from_colour)
            unit_control.start_workers(self.machine, self.before, self.plan.from_colour)
        unit_control.set_timers(self.machine, self.before)
        return None


class Commit(Deploy):
    """The link `current`, for people."""

    name = "commit"

    def do(self) -> Found:
        """Point it at the new release."""
        durable.link(self.machine.layout.current, self.machine.layout.release(self.plan.version))
        return None

    def undo(self) -> Found:
        """Point it at the old one."""
        if self.plan.from_version:
            durable.link(self.machine.layout.current, self.machine.layout.release(self.plan.from_version))
        else:
            durable.remove(self.machine.layout.current)
        return None
