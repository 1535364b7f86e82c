"""One disposable machine: start, stop, cut, reset, copy."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filae_ops.errors import OpsError
from filae_ops.lab.image import ensure_image, ensure_services
from filae_ops.lab.network import bridge_name, ensure_network, lab_dir
from filae_ops.lab.services import DOMAIN, PROXY_PORT, ensure_running
from filae_ops.lab.shell import run
from filae_ops.lab.state import check_name, is_held, lab_id, locked
from filae_ops.lab.supervise import leave_cgroup

DISK_GIB = 20
BOOT_SECONDS = 60


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


def machines(lab: str | None = None) -> list[Machine]:
    """Return the machines of a lab, running or not, by name."""
    found = sorted((lab_dir(lab) / "machines").glob("*/machine.json"))
    return [Machine(**json.loads(path.read_text())) for path in found]


def find(name: str) -> Machine:
    """Return a machine of this lab by name."""
    for machine in machines():
        if machine.name == check_name(name):
            return machine
    raise OpsError(f"no machine {name!r} in this lab", next_step=f"./filae-ops lab up {name}")


def create(
    name: str,
    *,
    suite: str = "trixie",
    disk_gib: int = DISK_GIB,
    source: Machine | None = None,
    owner: int | None = None,
    say: Callable[[str], None],
) -> Machine:
    """Make a machine, or a copy of a stopped one, without starting it."""
    base = ensure_image(suite, say)
    services = ensure_services(say)
    lab = lab_id()
    with locked(lab_dir(lab) / "lab.lock"):
        gateway = ensure_network(lab, owner)
        ensure_running(lab, gateway, services)
        key = lab_dir(lab) / "id_ed25519"
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", key])
        machine = Machine(
            name=check_name(name), lab=lab, suite=source.suite if source else suite, address=_free_address(gateway),
            gateway=gateway, bridge=bridge_name(lab), image=source.image if source else str(base),
            unique="fl" + hashlib.sha256(f"{lab}/{name}".encode()).hexdigest()[:9],
            disk_gib=source.disk_gib if source else disk_gib,
        )  # fmt: skip
        shutil.rmtree(machine.directory, ignore_errors=True)
        machine.directory.mkdir(parents=True)
        _make_disk(machine, source)
        _write_seed(machine, source)
        (machine.directory / "machine.json").write_text(json.dumps(asdict(machine)))
        names = f"{machine.address} {machine.public_name}"
        if source:
            names += f" {source.public_name}.{name}"
        (lab_dir(lab) / "hosts" / name).write_text(names + "\n")
    return machine


def start(machine: Machine) -> None:
    """Boot a machine and return when its sshd answers."""
    if machine.running:
        return
    gateway = ensure_network(machine.lab)
    ensure_running(machine.lab, gateway, ensure_services(_quiet))
    with (machine.directory / "console.log").open("ab") as log:
        subprocess.Popen(
            [*_launcher(machine), "unshare", "--mount", "--propagation", "private", sys.executable,
             "-m", "filae_ops.lab.supervise", machine.directory],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
        )  # fmt: skip
    _wait_for_sshd(machine)


def stop(machine: Machine, *, cut: bool = False) -> None:
    """Power a machine off in order, or cut its power: nothing in it runs another instruction."""
    pid_file = machine.directory / "supervisor.pid"
    if cut:
        for leader in _leaders(machine.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(leader, signal.SIGKILL)
    elif machine.running and pid_file.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
    for _ in range(600):
        if not machine.running and not run(["losetup", "--associated", machine.directory / "disk.img"]).stdout:
            leave_cgroup(machine.unique)
            return
        time.sleep(0.05)
    raise OpsError(f"machine {machine.name} does not stop", next_step=f"./filae-ops lab cut {machine.name}")


def _leaders(directory: Path) -> list[int]:
    """Return the first process of what runs on this machine's disk: ending it ends its whole pid namespace.

    Found by its mounts, so that a machine whose supervisor died is found too. The supervisor comes last.
    """
    mark = f"upperdir={directory}/disk/upper"
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if mark in (entry / "mountinfo").read_text():
                status = (entry / "status").read_text()
                inside = next(line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
                if len(inside) > 1 and inside[-1] == "1":
                    found.insert(0, int(entry.name))
                elif len(inside) == 1:
                    found.append(int(entry.name))
    return found


def remove(machine: Machine) -> None:
    """Cut a machine and remove all that it left."""
    stop(machine, cut=True)
    (lab_dir(machine.lab) / "hosts" / machine.name).unlink(missing_ok=True)
    shutil.rmtree(machine.directory, ignore_errors=True)


def ssh_argv(machine: Machine, command: list[str], user: str = "lab") -> list[str]:
    """Return the ssh command line for a machine, its host key pinned."""
    known = machine.directory / "known_hosts"
    known.write_text(f"{machine.name} {machine.host_key}\n")
    options = [f"UserKnownHostsFile={known}", "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes"]
    options += [f"HostKeyAlias={machine.name}", "IdentitiesOnly=yes", "LogLevel=ERROR"]
    flags = [word for option in options for word in ("-o", option)]
    return ["ssh", *flags, "-i", str(machine.ssh_key), f"{user}@{machine.address}", *command]


def _quiet(_: str) -> None:
    return None


def _launcher(machine: Machine) -> list[str]:
    """On a host that runs systemd the machine gets a scope of its own; nspawn needs a delegated cgroup."""
    if not Path("/run/systemd/system").is_dir():
        return []
    return [
        "systemd-run",
        "--quiet",
        "--collect",
        f"--unit={machine.unique}",
        "--property=Delegate=yes",
        "--property=KillMode=mixed",
    ]


def _free_address(gateway: str) -> str:
    taken = {machine.address for machine in machines()}
    prefix = gateway.rsplit(".", 1)[0]
    return next(a for a in (f"{prefix}.{n}" for n in range(10, 250)) if a not in taken)


def _make_disk(machine: Machine, source: Machine | None) -> None:
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


def _write_seed(machine: Machine, source: Machine | None) -> None:
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


def _wait_for_sshd(machine: Machine) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((machine.address, 22), timeout=1) as conn:
            if conn.recv(4) == b"SSH-" and run(ssh_argv(machine, ["true"]), check=False).returncode == 0:
                return
        time.sleep(0.1)
        if not machine.running and time.monotonic() > deadline - BOOT_SECONDS + 5:
            break
    tail = (machine.directory / "console.log").read_text(errors="replace")[-800:]
    raise OpsError(f"machine {machine.name} ({machine.address}) does not answer on SSH\n{tail}")


@contextlib.contextmanager
def lock_lab() -> Iterator[None]:
    """Hold this lab against another run that changes it."""
    with locked(lab_dir() / "up.lock"):
        yield
