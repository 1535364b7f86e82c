"""What provisioning would have put on each machine: rendered here from the inventory, never read from the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filae_ops.agent.system.plain_text import plain
from filae_ops.errors import OpsError
from filae_ops.inventory.reading.ansible_values import environment
from filae_ops.inventory.reading.yaml_files import HOSTS, locate_directory
from filae_ops.paths import PACKAGE, data_path
from filae_ops.remote.known_messages import STATED, lines, together

SECONDS = 60
Kind = Literal["file", "directory", "link"]


@dataclass(frozen=True)
class Placement:
    """One path as provisioning leaves it.

    `sha256`: None where the machine writes the content itself, or where it is secret. `optional`: it may also be
    absent. The last part of a path may hold a `*`, where the machine chooses the name.
    """

    kind: Kind
    user: str
    group: str
    mode: str
    sha256: str | None
    target: str | None
    role: str
    optional: bool = False


Placements = Mapping[str, Mapping[str, Placement]]
"""By machine, then by path."""


def placed_by_roles(inventory: Path) -> Placements:
    """Return by machine, then by path, what the roles of provision.yml would place; no vault is opened."""
    hosts_file = (locate_directory(inventory) / HOSTS).absolute()
    playbook = data_path("playbooks", "provision.yml")
    argv = [sys.executable, "-P", "-m", "filae_ops.playbook.placing_tasks", str(hosts_file), str(playbook)]
    try:
        done = subprocess.run(
            argv, env=environment() | {"PYTHONPATH": str(PACKAGE.parent)}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _unknown(hosts_file, f"no answer in {SECONDS} s") from None
    if done.returncode != 0:
        raise _unknown(hosts_file, done.stderr.strip())
    return {host: {row.pop("path"): Placement(**row) for row in rows} for host, rows in json.loads(done.stdout).items()}


def _unknown(hosts_file: Path, why: str) -> OpsError:
    """Return the refusal of an inventory for which a role's files cannot be rendered."""
    if STATED.search(why):
        return together(lines(why, "provision"))
    return OpsError(
        f"{hosts_file}: what provisioning would place cannot be rendered: {plain(why)[-600:]}",
        next_step=f"filae-ops -i {hosts_file} provision --check",
    )
