"""The dump taken before a migration that changes the schema."""

from __future__ import annotations

from filae_ops.agent.step import Deploy, Found


class Dump(Deploy):
    """The database as it was before the migration, proved to be readable."""

    name = "dump"

    def do(self) -> Found:
        """Dump when the schema will change."""
        return {"not_run": "not written yet"}
