"""Reader two: the values that Ansible will apply, from `ansible-inventory`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.hosts_yml import GROUP
from filae_ops.paths import data_path

TIMEOUT = 60


def inventory_argv(hosts_file: Path) -> list[str]:
    """Return the exact command line."""
    return [
        str(Path(sys.executable).with_name("ansible-inventory")),
        "-i",
        str(hosts_file.absolute()),  # a link is followed to its content, not to what lies beside that
        "--list",
    ]


def environment() -> dict[str, str]:
    """Return the caller's environment without its own settings of Ansible."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    ours = {"ANSIBLE_CONFIG": str(data_path("ansible.cfg")), "ANSIBLE_INVENTORY_ENABLED": "yaml"}
    return kept | ours | {"LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}


def ansible_values(hosts_file: Path) -> dict[str, dict[str, Any]]:
    """Return the variables of each machine of the group filae, as Ansible sees them."""
    argv = inventory_argv(hosts_file)
    try:
        done = subprocess.run(
            argv,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise OpsError(
            f"{argv[0]} is not there: ansible-core is not installed beside this Python",
            next_step="run the toolkit by ./filae-ops, which prepares its environment",
        ) from None
    except subprocess.TimeoutExpired:
        raise OpsError(f"{argv[0]} did not answer in {TIMEOUT} s", next_step="run it by hand: it says why") from None
    return values_of(hosts_file, done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace"))


def values_of(hosts_file: Path, status: int, stdout: str, stderr: str) -> dict[str, dict[str, Any]]:
    """Return the variables of each machine from what `ansible-inventory` said; OpsError when it failed."""
    if status:
        text = stderr.strip() or "no message"
        raise OpsError(f"Ansible does not read {hosts_file}: {text[-600:]}", next_step="correct it, then run again")
    listing = json.loads(stdout)
    hostvars = listing.get("_meta", {}).get("hostvars", {})
    machines = {name: hostvars.get(name, {}) for name in listing.get(GROUP, {}).get("hosts", [])}
    # Ansible's own, where facts become no variables.
    return {
        name: {k: v for k, v in values.items() if (k, v) != ("ansible_local", {})} for name, values in machines.items()
    }
