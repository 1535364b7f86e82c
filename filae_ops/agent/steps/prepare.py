"""The steps that prepare a release while the one before serves."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.bundle.manifest import NAME
from filae_ops.agent.database import application_database
from filae_ops.agent.frontdoor import nginx, proof
from filae_ops.agent.release import apt, store
from filae_ops.agent.runtime import credentials, health, unit_control
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed


class Packages(Deploy):
    """Debian's packages that the release runs with."""

    name = "packages"

    def do(self) -> Found:
        """Install what is missing, in one go."""
        wanted = Contract(archive.read_manifest(self.bundle)["contract"])
        return {"installed": apt.install(self.machine, apt.missing(self.machine, apt.required(wanted)))}

    def undo(self) -> Found:
        """Leave the packages, but not half configured."""
        apt.settle(self.machine)
        return None


class Stage(Deploy):
    """The release's tree, under its name."""

    name = "stage"

    def do(self) -> Found:
        """Extract, bind to the machine's directories, lock the gems."""
        layout = self.machine.layout
        if self.plan.reuse and self._as_signed():
            return {"reused": True}
        store.stage(self.machine, self.bundle, self.plan.version)
        return {"manifest": hashlib.sha256((layout.release(self.plan.version) / NAME).read_bytes()).hexdigest()}

    def _as_signed(self) -> bool:
        """Tell whether the tree that runs already is as its manifest; only a bundle can make another one."""
        tree = self.machine.layout.release(self.plan.version)
        try:
            archive.verify_tree(tree, store.links(self.machine, self.contract))
        except Refused:
            if not self.plan.bundle:
                raise
            return False
        return True

    def undo(self) -> Found:
        """Remove the tree, unless it is the live one's."""
        if self.plan.reuse:
            store.put_back(self.machine, self.plan.version)
            return None
        live = self.machine.live()
        if live and live.version == self.plan.version:
            raise Failed(f"nginx still sends requests to {self.plan.version}: its tree stays")
        store.unstage(self.machine, self.plan.version)
        return None


class Database(Deploy):
    """The database, its extensions, roles and grants. Data is never removed by an undo."""

    name = "database"

    def do(self) -> Found:
        """Create what is missing, and reset what the roles have set for themselves."""
        return application_database.ensure(self.machine, self.contract)


class Secrets(Deploy):
    """Secrets that are born here. They stay: a second first deploy must find the same."""

    name = "secrets"

    def do(self) -> Found:
        """Generate those that have never been."""
        return {"generated": credentials.ensure(self.machine, self.contract)}


class Setup(Deploy):
    """What the release does once on a new machine, before anyone can reach it."""

    name = "setup"

    def do(self) -> Found:
        """Run it unless it was run; the mark is made after it ended well."""
        marker = self.machine.layout.setup_done
        if marker.exists() or not self.contract.get("setup"):
            return {"not_run": "done before" if marker.exists() else "the contract states no setup"}
        self.command("setup", 600)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        durable.write(marker, json.dumps({"version": self.plan.version, "at": when}) + "\n", 0o600)
        return None


class Start(Deploy):
    """The idle colour, running the new release out of sight."""

    name = "start"

    def do(self) -> Found:
        """Bind the colour to the release, start it, and warm it."""
        machine, colour = self.machine, self.plan.colour
        unit_control.stop_web(machine, colour)
        unit_control.prepare_web(machine, self.contract, colour)
        with application_database.as_declared(machine):
            unit_control.start_web(machine, colour)
            if problem := health.of_colour(machine, self.contract, colour):
                raise Failed(
                    f"the new release is not healthy: {problem}",
                    **unit_control.evidence(machine, unit_control.web(colour)[1]),
                )
        return None

    def undo(self) -> Found:
        """Stop the colour, once nginx sends nothing there any more."""
        live = self.machine.live()
        if live and live.colour == self.plan.colour:
            raise Failed(f"nginx still sends requests to {self.plan.colour}: it keeps running")
        nginx.drain(self.machine, self.machine.config.timings["drain"])
        unit_control.stop_web(self.machine, self.plan.colour)
        unit_control.forget_web(self.machine, self.plan.colour)
        unit_control.systemctl(self.machine, "daemon-reload")
        return None


class Probe(Deploy):
    """What health pages do not say: schema, file store, a round trip, on the new colour's own socket."""

    name = "probe"

    def do(self) -> Found:
        """Fail on the first thing that does not work; say what was not run."""
        kept = self.plan.kind != "deploy"
        with application_database.as_declared(self.machine):
            found = proof.before_switch(self.machine, self.contract, self.plan.colour, ahead=kept)
            for what, verdict in found.items():
                if verdict.status == "fail":
                    raise Failed(f"{what}: {verdict.message}", **verdict.evidence)
        return {"proved": {what: verdict.status for what, verdict in found.items()}}
