"""What provisioning placed for the agent: agent.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops.agent.system.host_name import is_host
from filae_ops.agent.system.json_file import read_json, refuse_value
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.maintenance_window import Window
from filae_ops.agent.system.maintenance_window import from_mapping as window_from

ENVIRONMENTS = ("production", "preproduction", "test", "demo")
DAY = 86400
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


def agent_config(layout: Layout) -> Config:
    """Read /etc/filae/agent.json; what is not as provisioning writes it is refused."""
    path = layout.agent_config
    data = read_json(path)
    environment, name, ca_file = (data.get(key) for key in ("environment", "public_name", "ca_file"))
    if environment not in ENVIRONMENTS:
        refuse_value(path, "environment", environment, f"is not one of {', '.join(ENVIRONMENTS)}")
    if not is_host(name):
        refuse_value(path, "public_name", name, "is neither a DNS name in lower case nor an address")
    if not isinstance(ca_file, str) or not re.fullmatch(r"(/[A-Za-z0-9@._+-]+)+", ca_file, re.ASCII):
        refuse_value(path, "ca_file", ca_file, "is not the absolute path of a file")
    keep = data.get("keep_releases", 3)
    if type(keep) is not int or not 2 <= keep <= 50:
        refuse_value(path, "keep_releases", keep, "is not a number of releases from 2 to 50")
    return Config(str(environment), str(name), ca_file, keep, _timings(path, data), _window(path, data))


def _timings(path: Path, data: Mapping[str, Any]) -> dict[str, float]:
    given = data.get("timings", {})
    if not isinstance(given, dict):
        refuse_value(path, "timings", given, "is not an object")
    for key, value in given.items():
        if key not in TIMINGS:
            refuse_value(path, "timings", key, f"is not one of {', '.join(TIMINGS)}")
        # Comparisons with what is not a number are false.
        if type(value) not in (int, float) or not 0 < value <= DAY:
            refuse_value(path, f"timings.{key}", value, f"is not a number of seconds up to {DAY}")
    return {**TIMINGS, **{key: float(value) for key, value in given.items()}}


def _window(path: Path, data: Mapping[str, Any]) -> Window | None:
    window, zone = data.get("maintenance_window") or {}, data.get("timezone", "UTC")
    try:
        return window_from(window, zone)
    except (KeyError, TypeError, ValueError, OSError) as exc:
        refuse_value(path, "maintenance_window", [window, zone], f"is not a window ({exc!r:.80})")
