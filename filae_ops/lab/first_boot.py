"""What a new machine needs before its first boot: a disk, and the files that differ from machine to machine."""

from __future__ import annotations

import shutil
import uuid

from filae_ops.errors import OpsError
from filae_ops.lab.hospital_services import PROXY_PORT
from filae_ops.lab.machine import Machine
from filae_ops.lab.shell import run


def make_disk(machine: Machine, source: Machine | None) -> None:
    """Make a machine's disk: empty and sparse, or a copy of a stopped machine's."""
    disk = machine.directory / "disk.img"
    if source is None:
        run(["truncate", "-s", f"{machine.disk_gib}G", disk])
        run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1", "-O", "^has_journal", disk])
        return
    if source.running:
        raise OpsError(
            f"machine {source.name} runs; only a stopped machine can be copied",
            next_step=f"stop {source.name}",
        )
    run(["cp", "--sparse=always", "--reflink=auto", source.directory / "disk.img", disk])


def write_seed(machine: Machine, source: Machine | None) -> None:
    """Write what differs from machine to machine; the supervisor lays it over the root at first boot."""
    seed = machine.directory / "seed"
    public_key = machine.ssh_key.with_suffix(".pub").read_text()
    files = {
        "etc/hostname": f"{machine.name}\n",
        "etc/machine-id": f"{uuid.uuid4().hex}\n",
        "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{machine.address} {machine.public_name} {machine.name}\n",
        "etc/resolv.conf": f"nameserver {machine.gateway}\n",
        "etc/systemd/network/10-host0.network": (
            f"[Match]\nName=host0\n[Network]\nAddress={machine.address}/24\nGateway={machine.gateway}\nLinkLocalAddressing=no\n"
        ),
        "etc/apt/apt.conf.d/90proxy": f'Acquire::http::Proxy "http://{machine.gateway}:{PROXY_PORT}";\n',
        "root/.ssh/authorized_keys": public_key,
        "home/lab/.ssh/authorized_keys": public_key,
    }
    if source:
        for name in ("host_key", "host_key.pub"):
            shutil.copy2(source.directory / name, machine.directory / name)
        files = {name: text for name, text in files.items() if not name.endswith("authorized_keys")}
    else:
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", machine.directory / "host_key"])
        files["etc/ssh/ssh_host_ed25519_key"] = (machine.directory / "host_key").read_text()
        files["etc/ssh/ssh_host_ed25519_key.pub"] = (machine.directory / "host_key.pub").read_text()
    for name, text in files.items():
        path = seed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600 if name.endswith(("_key", "authorized_keys")) else 0o644)
    for directory in ("root", "root/.ssh", "home/lab", "home/lab/.ssh"):
        if (seed / directory).is_dir():
            (seed / directory).chmod(0o700)
