"""What provisioning placed for the agent and the application: agent.json and settings.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.maintenance_window import Window
from filae_ops.agent.system.maintenance_window import from_mapping as window_from

PROVISION = "filae-ops provision"
# Seconds; agent.json may shorten them (tests) or lengthen them (slow machines).
TIMINGS = {
    "start": 90.0,
    "health": 30.0,
    "front_door": 15.0,
    "drain": 65.0,
    "command": 3600.0,
    "settle": 2.0,
    "stop": 5.0,
    # How long a release that serves is watched before it is committed.
    "soak": 600.0,
    # Before a migration that met a lock is tried again; doubled each time.
    "lock_wait": 2.0,
    # From this age on, an open transaction in the database keeps a migration from starting.
    "old_transaction": 60.0,
}


@dataclass(frozen=True)
class Config:
    """The agent's own settings."""

    environment: str
    public_name: str
    ca_file: str
    keep_releases: int = 3
    timings: Mapping[str, float] = field(default_factory=lambda: dict(TIMINGS))
    maintenance_window: Window | None = None

    @property
    def production(self) -> bool:
        """Tell whether real patients' data may be there."""
        return self.environment == "production"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that provisioning places."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        raise Refused(f"{path} is absent: the machine is not provisioned", next_step=PROVISION) from None
    except (OSError, ValueError) as exc:
        raise Refused(f"{path} cannot be read: {exc}", next_step=PROVISION) from exc
    if not isinstance(data, dict):
        raise Refused(f"{path} does not hold an object", next_step=PROVISION)
    return data


def agent_config(layout: Layout) -> Config:
    """Read /etc/filae/agent.json."""
    data = read_json(layout.agent_config)
    try:
        return Config(
            environment=str(data["environment"]),
            public_name=str(data["public_name"]),
            ca_file=str(data["ca_file"]),
            keep_releases=max(2, int(data.get("keep_releases", 3))),
            timings={**TIMINGS, **{k: float(v) for k, v in data.get("timings", {}).items()}},
            maintenance_window=window_from(data.get("maintenance_window") or {}, str(data.get("timezone") or "UTC")),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise Refused(f"{layout.agent_config}: {exc}", next_step=PROVISION) from exc
