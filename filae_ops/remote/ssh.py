"""Connections of our own (testinfra, fabric, doctor): host keys pinned from the inventory, never learnt."""

from __future__ import annotations

import contextlib
import getpass
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.remote.known_messages import known, last_line
from filae_ops.writers.openssh import known_host, option


@dataclass(frozen=True)
class Login:
    """Which account and key to use; `user` and `key` are what the command line was given, if anything."""

    user: str | None = None
    key: Path | None = None

    def user_for(self, host: Host) -> str:
        """Return the account: the option, the lab's own, else the caller's name."""
        return self.user or host.ansible_user or getpass.getuser()

    def key_for(self, host: Host) -> str | None:
        """Return the private key's path, or None for the caller's agent."""
        return str(self.key) if self.key else host.ansible_ssh_private_key_file

    def extra(self) -> dict[str, str]:
        """Return the variables that Ansible needs for the same choice; they outweigh the inventory's."""
        chosen = {
            "ansible_user": self.user,
            "ansible_ssh_private_key_file": str(self.key) if self.key else None,
        }
        return {name: value for name, value in chosen.items() if value}


@contextlib.contextmanager
def ssh_config(inventory: Inventory, login: Login) -> Iterator[Path]:
    """Write an ssh_config and its known_hosts for every machine; shared connections end with the block."""
    # A socket's path is limited to 108 bytes, hence /tmp rather than $TMPDIR.
    with tempfile.TemporaryDirectory(prefix="filae-", dir="/tmp") as name:
        directory = Path(name)
        known = directory / "known_hosts"
        known.write_text("".join(f"{known_host(host.name, host.host_key)}\n" for host in inventory.hosts.values()))
        config = directory / "config"
        stanzas = [host_stanza(host, login, str(directory)) for host in inventory.hosts.values()]
        # The caller's own settings come last: they may add a way through a bastion, never undo what is above.
        config.write_text("\n".join([*stanzas, "Match all\n  Include ~/.ssh/config\n"]))
        try:
            yield config
        finally:
            for host in inventory.hosts:
                argv = ["ssh", "-F", str(config), "-O", "exit", host]
                with contextlib.suppress(subprocess.TimeoutExpired):
                    subprocess.run(argv, capture_output=True, timeout=5)


def host_stanza(host: Host, login: Login, directory: str) -> str:
    """Return what ssh_config says of a machine; `directory` holds its known_hosts and shared connection."""
    lines = [
        option("Host", host.name), option("HostName", host.ansible_host), option("Port", host.ansible_port),
        option("User", login.user_for(host)), option("HostKeyAlias", host.name),
        f"UserKnownHostsFile {directory}/known_hosts", "GlobalKnownHostsFile /dev/null",
        "StrictHostKeyChecking yes", "UpdateHostKeys no", "BatchMode yes", "ConnectTimeout 10", "LogLevel ERROR",
        "ControlMaster auto", "ControlPersist 60", f"ControlPath {directory}/%C", "ServerAliveInterval 15",
    ]  # fmt: skip
    if key := login.key_for(host):
        lines += [option("IdentityFile", key), "IdentitiesOnly yes"]
    return "\n  ".join(lines) + "\n"


def ssh_argv(config: Path, host: str, command: Sequence[str]) -> list[str]:
    """Return the command line that runs a command on a machine, in English; words are quoted for its shell."""
    import shlex

    return ["ssh", "-F", str(config), host, "--", shlex.join(["env", "LC_ALL=C.UTF-8", *command])]


def explain(stderr: str, host: str) -> OpsError:
    """Turn ssh's words into what a person can act on."""
    if (line := known(stderr)) is not None:
        return OpsError(f"{host}: {line.message}", owner=line.owner, next_step=line.step)
    return OpsError(
        f"{host}: {last_line(stderr) or 'no message'}",
        owner="dsi",
        next_step="check that the machine is on and reachable, then run again",
    )
