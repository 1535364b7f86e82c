"""The time during which a release that serves is still watched, and undone when it does worse than the one before."""

from __future__ import annotations

from filae_ops.agent.step import Deploy, Found


class Soak(Deploy):
    """The new release, serving well for long enough."""

    name = "soak"

    def do(self) -> Found:
        """Watch answers, health and units."""
        return {"not_run": "not written yet"}
