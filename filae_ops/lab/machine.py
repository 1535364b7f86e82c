"""What a disposable machine is: its names, addresses and keys, and where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filae_ops.lab.bridge import lab_dir
from filae_ops.lab.hospital_services import DOMAIN
from filae_ops.lab.state import is_held


@dataclass(frozen=True)
class Machine:
    """What is fixed of a machine when it is made; its files lie in `directory`."""

    name: str
    lab: str
    suite: str
    address: str
    gateway: str
    bridge: str
    image: str
    unique: str
    disk_gib: int

    @property
    def directory(self) -> Path:
        """The machine's directory on the host."""
        return lab_dir(self.lab) / "machines" / self.name

    @property
    def running(self) -> bool:
        """Whether its supervisor lives."""
        return is_held(self.directory / "lock")

    @property
    def ssh_key(self) -> Path:
        """The private key that every machine of this lab accepts for `lab` and `root`."""
        return lab_dir(self.lab) / "id_ed25519"

    @property
    def host_key(self) -> str:
        """The machine's public host key, `ssh-ed25519 AAAA…`."""
        return " ".join((self.directory / "host_key.pub").read_text().split()[:2])

    @property
    def public_name(self) -> str:
        """The name under which its Filaé is served; the lab's name server knows it."""
        return f"{self.name}.{DOMAIN}"

    @property
    def inventory(self) -> Path:
        """The path to give to `-i`."""
        return self.directory / "inventory" / "hosts.yml"
