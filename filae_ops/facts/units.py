"""systemd's units: what runs, what starts with the machine, how far each is closed in."""

from __future__ import annotations

import re
from typing import Any

from filae_ops.facts.gathering import Expected, command, part

WATCHED = (
    "nginx.service", "postgresql.service", "postgresql@17-main.service", "ssh.service", "chrony.service",
    "filae-firewall.service", "filae-recover.service", "filae.target", "systemd-journald.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "qemu-guest-agent.service", "open-vm-tools.service",
    "hv-kvp-daemon.service",
)  # fmt: skip
FIELDS = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts"


@part
def units(_: Expected) -> dict[str, Any]:
    """Return the state of the units that matter, of the application's, and the names of the failed ones."""
    own = sorted(_listed("filae-web@*", "filae-worker@*", "filae-timer@*.timer"))
    blocks = command("systemctl", "show", f"--property={FIELDS}", *WATCHED, *own).split("\n\n")
    shown = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    failed = sorted(_listed(state="failed"))
    return {"units": {unit["Id"]: unit for unit in shown if "Id" in unit}, "own": own, "failed": failed}


def _listed(*patterns: str, state: str = "") -> set[str]:
    argv = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--full", *patterns]
    lines = command(*argv, *([f"--state={state}"] if state else [])).splitlines()
    return {line.split()[0] for line in lines if line.strip()}


@part
def sandbox(_: Expected) -> dict[str, float]:
    """Return systemd's own measure of each unit's exposure, from 0 (closed) to 10 (open)."""
    names = [name for name in sorted(_listed("filae-web@*", "filae-worker@*")) if name.endswith(".service")]
    found = {}
    for name in names or ["filae-web@blue.service"]:
        text = command("systemd-analyze", "security", "--no-pager", name)
        if match := re.search(r"Overall exposure level for \S+: ([0-9.]+)", text):
            found[name] = float(match[1])
    return found
