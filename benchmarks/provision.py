"""Provisioning beside its limit, in one run on fresh machines: prints seconds and ratios.

Run as root: `.venv/bin/python benchmarks/provision.py`. A bare shell script that installs the same packages is
the limit; design numbers: first provisioning at most 1.5 times the script, a second one 0 changed and fewer than
45 tasks, verify at least 40 checks a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

os.environ["FILAE_LAB"] = f"bench-{os.getpid()}"

from filae_ops.lab import fleet, lifecycle
from filae_ops.verification.verify import verify_inventory

ROOT = Path(__file__).resolve().parents[1]
CLI = [sys.executable, "-m", "filae_ops"]
SCRIPT = """set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --yes --no-install-recommends {packages} >/dev/null
systemctl enable --now postgresql nginx chrony >/dev/null 2>&1
"""


def packages() -> list[str]:
    """Return every role's packages, read where the roles declare them."""
    import yaml

    names: set[str] = set()
    for path in ROOT.glob("roles/*/defaults/main.yml"):
        for key, value in (yaml.safe_load(path.read_text()) or {}).items():
            if key.endswith("_packages"):
                names.update(value)
    return sorted(names)


def timed(argv: list[str], text: str | None = None) -> tuple[float, str]:
    """Run a command that must succeed; return seconds and its output."""
    start = time.monotonic()
    done = subprocess.run(argv, input=text, capture_output=True, text=True)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr[-2000:]}")
    return seconds, done.stdout


def ops(inventory: Path, *words: str) -> tuple[float, Any]:
    """Run filae-ops with --json; return seconds and its document."""
    seconds, text = timed([*CLI, "-i", str(inventory), *words, "--json"])
    return seconds, json.loads(text)


def main() -> None:
    """Measure, then print one table."""

    def say(message: str) -> None:
        print(message, file=sys.stderr)

    try:
        plain, ours = (fleet.up(name, owner=os.getpid(), say=say) for name in ("plain", "ours"))
        script = SCRIPT.format(packages=" ".join(packages()))
        limit, _ = timed(lifecycle.ssh_argv(plain, ["sudo", "bash", "-s"]), script)
        first, one = ops(ours.inventory, "provision")
        second, two = ops(ours.inventory, "provision")
        report = verify_inventory(ours.inventory)
    finally:
        fleet.down(None)
    rows = [
        ("bare script, same packages", limit, "1.0 x the limit"),
        ("first provisioning", first, f"{first / limit:.2f} x the limit (design: <= 1.5), {one['tasks']} tasks"),
        ("second provisioning", second, f"{two['changed']} changed (0), {two['tasks']} tasks (< 45)"),
        ("verify: ask the machine", report.gathering_seconds, f"{len(report.verdicts)} checks"),
        ("verify: judge", report.checking_seconds, f"{report.rate:.0f} checks/s (design: >= 40)"),
    ]
    for title, value, text in rows:
        print(f"{title:<28} {value:7.1f} s  {text}")


if __name__ == "__main__":
    main()
