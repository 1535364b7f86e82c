"""The step that brings the schema to the release's, with the release before still serving."""

from __future__ import annotations

import contextlib
import time

from filae_ops.agent.database import migration_check, postgresql, schema_table
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.system.process import Failed

RETRIES = 5
# The last one is of Rails: its migrations take an advisory lock, which any session of the database may hold.
_LOCKED = ("LockWaitTimeout", "LockNotAvailable", "ConcurrentMigrationError")


class Migrate(Deploy):
    """The schema of the release. It stays: the release before runs on an expanded schema."""

    name = "migrate"

    def do(self) -> Found:
        """Run the release's migration as the migrating role, then look at the schema that it made."""
        stated = self.contract.get("migrate")
        if not stated:
            return {"not_run": "the contract states no migration"}
        if self.plan.reuse and migration_check.pending(self.machine, self.contract, again=True) is None:
            return {"not_run": "this release migrated before"}
        migration_check.check(self.machine, self.contract, serving=bool(self.plan.from_version))
        retries = self._patiently()
        schema_table.protect(self.machine)
        if problem := schema_table.problem(self.contract, schema_table.version(self.machine)):
            raise Failed(problem)
        if invalid := postgresql.invalid_indexes(self.machine):
            names = " | ".join(", ".join(invalid).splitlines())
            raise Failed(f"the migration left indexes that are not valid: {names[:300]}")
        found = {"schema_version": str(stated.get("schema_version", "")), "kind": str(stated.get("kind", ""))}
        return {**found, "retries": retries} if retries else found

    def undo(self) -> Found:
        """End what a cut migration left, and drop the indexes that it half built; never migrate down."""
        self.machine.runner.run(["systemctl", "stop", "filae-run-migrate.service"])
        with contextlib.suppress(Failed):
            schema_table.protect(self.machine)
        return {"ended_sessions": postgresql.end_backends(self.machine), "dropped_indexes": self._drop_invalid()}

    def _patiently(self) -> int:
        """Run the migration, again when it met a lock (the role gives up after 3 s, so that nobody queues long)."""
        for attempt in range(RETRIES + 1):
            try:
                self.command("migrate", self.machine.config.timings["command"])
            except Failed as exc:
                if not str(exc.evidence.get("exception", "")).endswith(_LOCKED):
                    raise
                held = postgresql.held_by(self.machine)
                if attempt == RETRIES:
                    why = f"the migration met a lock {attempt + 1} times: {held}"
                    raise Failed(why, next_step=postgresql.WAY_OUT, **exc.evidence) from exc
                seconds = self.machine.config.timings["lock_wait"] * 2**attempt
                self.note("waiting", seconds=seconds, attempt=attempt + 1, of=RETRIES, open=held)
                self._drop_invalid()
                time.sleep(seconds)
            else:
                return attempt
        raise AssertionError("the last attempt returns or raises")

    def _drop_invalid(self) -> list[str]:
        """Drop half-built indexes: they serve no query, cost each write, and make the next try fail by their name."""
        with contextlib.suppress(Failed):
            return postgresql.drop_invalid_indexes(self.machine)
        return []
