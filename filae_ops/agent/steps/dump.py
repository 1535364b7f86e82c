"""The dump taken before a migration that changes the schema, for a person to restore from; never by the agent."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filae_ops.agent.database import migration_check, postgresql, schema_table
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

KEPT = 2
_AS_POSTGRES = ["nice", "-n", "10", "runuser", "-u", "postgres", "--"]
_DUMP = [*_AS_POSTGRES, "pg_dump", "-Fc", "--lock-wait-timeout=60s", "-h", "/run/postgresql",
         "-d", postgresql.connection(postgresql.NAME)]  # fmt: skip
# Listing a dump that was cut says nothing (`pg_restore -l` ends with 0); reading it whole does.
_PROOF = [*_AS_POSTGRES, "pg_restore", "-f", "/dev/null"]


class Dump(Deploy):
    """The database as it was before the migration, proved to be readable."""

    name = "dump"

    def do(self) -> Found:
        """Dump when the schema will change, read the dump back, and keep the last two."""
        change = migration_check.pending(self.machine, self.contract, again=self.plan.reuse)
        if change is None or change.found is None:
            return {"not_run": "the database has no schema yet" if change else "the schema does not change"}
        place, seconds = self.machine.layout.safety, self.machine.config.timings["command"]
        durable.directory(place, 0o700)
        durable.remove(self._partial)
        self._dump(seconds)
        self.machine.runner.stream(_PROOF, source=self._partial, timeout=seconds)
        final = place / f"{self.plan.id}.dump"
        self._partial.rename(final)
        durable.sync_directory(place)
        for old in dumps(self.machine)[:-KEPT]:
            durable.remove(old)
        return {"dump": str(final), "bytes": final.stat().st_size, "schema_version": str(change.found)}

    def undo(self) -> Found:
        """Remove a dump that was cut, and a whole one whose schema is still there: it would drive an older one out."""
        durable.remove(self._partial)
        done = [e for e in self.events if e["event"] == "done" and e.get("step") == self.name and e.get("dump")]
        with contextlib.suppress(Failed):
            if done and str(schema_table.version(self.machine)) == done[-1]["schema_version"]:
                durable.remove(Path(done[-1]["dump"]))
                return {"removed": done[-1]["dump"]}
        return None

    def _dump(self, seconds: float) -> None:
        try:
            self.machine.runner.stream(_DUMP, target=self._partial, timeout=seconds)
        except Failed as exc:
            if "LOCK TABLE" not in str(exc):
                raise
            held = postgresql.held_by(self.machine)
            raise Failed(f"the dump met a lock: {held}", next_step=postgresql.WAY_OUT) from exc

    @property
    def _partial(self) -> Path:
        return self.machine.layout.safety / f".{self.plan.id}.partial"


def dumps(machine: Machine) -> list[Path]:
    """Return the dumps that are kept, oldest first."""
    return sorted(machine.layout.safety.glob("*.dump"))
