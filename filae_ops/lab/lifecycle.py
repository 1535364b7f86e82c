"""Disposable machines one by one: make, copy, start, stop, cut, remove."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from filae_ops.errors import OpsError
from filae_ops.lab.bridge import bridge_name, ensure_network, lab_dir
from filae_ops.lab.first_boot import make_disk, write_seed
from filae_ops.lab.hospital_services import ensure_running
from filae_ops.lab.image import ensure_image, ensure_services
from filae_ops.lab.machine import Machine
from filae_ops.lab.shell import run
from filae_ops.lab.state import check_name, documents, lab_id, locked, write_json
from filae_ops.lab.supervise import leaders, leave_cgroup

DISK_GIB = 20
BOOT_SECONDS = 60
# A worker may take 70 s to end its job.
STOP_SECONDS = 120
CUT_SECONDS = 30
STAYS = 'test "$(sudo systemctl is-system-running)" != stopping'


def machines(lab: str | None = None) -> list[Machine]:
    """Return the machines of a lab, running or not, by name."""
    return [Machine(**each) for each in documents("machines/*/machine.json", lab_dir(lab)).values()]


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
        make_disk(machine, source)
        write_seed(machine, source)
        write_json(machine.directory / "machine.json", asdict(machine))
        names = f"{machine.address} {machine.public_name}"
        if source:
            names += f" {source.public_name}.{name}"
        (lab_dir(lab) / "hosts" / name).write_text(names + "\n")
    return machine


def start(machine: Machine) -> None:
    """Boot a machine and return when its sshd answers."""
    gateway = ensure_network(machine.lab)
    ensure_running(machine.lab, gateway, ensure_services(_quiet))
    # A machine whose supervisor was just killed counts as running for the second that the kernel takes to end it.
    if machine.running and _answers(machine, grace=0):
        return
    if _remains(machine):
        stop(machine, cut=True)
    with (machine.directory / "console.log").open("ab") as log:
        subprocess.Popen(
            [*_launcher(machine), "unshare", "--mount", "--propagation", "private", sys.executable,
             "-m", "filae_ops.lab.supervise", machine.directory],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
        )  # fmt: skip
    if not _answers(machine, grace=20):
        tail = (machine.directory / "console.log").read_text(errors="replace")[-800:]
        raise OpsError(f"machine {machine.name} ({machine.address}) does not answer on SSH\n{tail}")


def stop(machine: Machine, *, cut: bool = False) -> None:
    """Power a machine off in order, or cut its power: nothing in it runs another instruction."""
    pid_file = machine.directory / "supervisor.pid"
    if cut:
        for leader in leaders(machine.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(leader, signal.SIGKILL)
    elif machine.running and pid_file.exists():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
    limit = time.monotonic() + (CUT_SECONDS if cut else STOP_SECONDS)
    while time.monotonic() < limit:
        if not _remains(machine):
            leave_cgroup(machine.unique)
            return
        time.sleep(0.05)
    raise OpsError(f"machine {machine.name} does not stop", next_step=f"./filae-ops lab cut {machine.name}")


def _remains(machine: Machine) -> bool:
    """Tell whether something of a machine's last run is still there: supervisor, disk or network interface."""
    if machine.running or Path(f"/sys/class/net/vb-{machine.unique}").exists():
        return True
    return bool(run(["losetup", "--associated", machine.directory / "disk.img"]).stdout)


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
    options += ["ConnectTimeout=10", "ServerAliveInterval=15"]
    flags = [word for option in options for word in ("-o", option)]
    return ["ssh", *flags, "-i", str(machine.ssh_key), f"{user}@{machine.address}", *command]


def _quiet(_: str) -> None: ...


def _launcher(machine: Machine) -> list[str]:
    """On a host that runs systemd the machine gets a scope of its own; nspawn needs a delegated cgroup."""
    if not Path("/run/systemd/system").is_dir():
        return []
    scope = ["systemd-run", "--quiet", "--collect", f"--unit={machine.unique}"]
    return [*scope, "--property=Delegate=yes", "--property=KillMode=mixed"]


def _free_address(gateway: str) -> str:
    taken = {machine.address for machine in machines()}
    prefix = gateway.rsplit(".", 1)[0]
    return next(a for a in (f"{prefix}.{n}" for n in range(10, 250)) if a not in taken)


def _answers(machine: Machine, *, grace: float) -> bool:
    """Wait until a machine's sshd answers; False when it stopped running, `grace` seconds after now, or is too late."""
    begin, greets = time.monotonic(), False
    while time.monotonic() < begin + BOOT_SECONDS:
        # Once is enough: sshd takes many who come and say nothing for an attack.
        greets = greets or _greets(machine)
        if greets and run(ssh_argv(machine, [STAYS]), check=False).returncode == 0:
            return machine.running
        if not machine.running and time.monotonic() > begin + grace:
            return False
        time.sleep(0.1)
    return False


def _greets(machine: Machine) -> bool:
    try:
        with socket.create_connection((machine.address, 22), timeout=1) as conn:
            return conn.recv(4) == b"SSH-"
    except OSError:
        return False


@contextlib.contextmanager
def lock_lab() -> Iterator[None]:
    """Hold this lab against another run that changes it."""
    with locked(lab_dir() / "up.lock"):
        yield
