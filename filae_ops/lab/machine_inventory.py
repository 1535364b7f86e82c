"""The inventory of a disposable machine: the same scaffold as a hospital's, with every value given."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

from filae_ops.inventory.writing import answers as a
from filae_ops.inventory.writing.scaffold import write
from filae_ops.lab.bridge import lab_dir
from filae_ops.lab.hospital_services import PROXY_PORT
from filae_ops.lab.image import DROPINS
from filae_ops.lab.machine import Machine
from filae_ops.lab.shell import run
from filae_ops.lab.state import locked

KEY_DAYS = 90
MIB = 1024 * 1024
# What the lab itself puts on its machines, as a hospital's image brings things of its own.
ADDITIONS = tuple(
    a.AdditionAnswers(path, purpose)
    for purpose, paths in {
        "accès du laboratoire": ("/etc/sudoers.d/lab", "/root/.ssh/authorized_keys"),
        "réseau du laboratoire": ("/etc/systemd/network/10-host0.network",),
        "unités dans un conteneur": tuple(f"/etc/systemd/system/{unit}.d/lab.conf" for unit in DROPINS),
    }.items()
    for path in paths
)
DSI_ACCOUNT = "camille"


def write_inventory(machine: Machine, source: Machine | None = None) -> Path:
    """Write the inventory of a machine, or adapt that of the machine it was copied from; return `hosts.yml`."""
    directory = machine.inventory.parent
    if source is not None:
        shutil.copytree(source.inventory.parent, directory)
        hosts = machine.inventory.read_text().replace(source.address, machine.address)
        machine.inventory.write_text(hosts)
        return machine.inventory
    write(directory, _answers(machine))
    return machine.inventory


def release_key(lab: str) -> Path:
    """Return the private key that signs this lab's releases."""
    return _key(lab, "release-key")


def dsi_key(lab: str) -> Path:
    """Return the private key of the DSI's account on this lab's machines."""
    return _key(lab, "dsi-key")


def _key(lab: str, name: str) -> Path:
    path = lab_dir(lab) / name
    with locked(lab_dir(lab) / "keys.lock"):
        if path.exists():
            return path
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
    return path


def _public(path: Path) -> str:
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


def _answers(machine: Machine) -> a.Answers:
    subnet = machine.gateway.removesuffix(".1") + ".0/24"
    until = dt.date.today() + dt.timedelta(days=KEY_DAYS)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    return a.Answers(
        name=machine.name,
        hosting="internal_vendor_admin",
        ask=False,
        environment="demo",
        establishment="Centre hospitalier de démonstration",
        dsi_contact=a.Person("DSI de démonstration", "dsi@hopital.example"),
        provider_contact=a.Person("Exploitation Filaé", "exploitation@prestataire.example"),
        window=a.WindowAnswers(("tue",), "22:00", 120),
        governance=a.GovernanceAnswers("dsi", "dsi", "dsi", "dsi"),
        machines=(
            a.MachineAnswers(
                name=machine.name, address=machine.address, host_key=machine.host_key, ssh_user="lab",
                ssh_key=str(machine.ssh_key), cpus=os.cpu_count() or 1, memory_mib=memory, disk_gib=machine.disk_gib,
                hypervisor="none", guest_tools=False, additions=ADDITIONS,
            ),
        ),
        administration_networks=(subnet,),
        operators=(a.Keyholder("lab", _public(machine.ssh_key), until),),
        dsi_accounts=(a.Keyholder(DSI_ACCOUNT, _public(dsi_key(machine.lab)), until),),
        public_name=machine.public_name,
        users=(subnet,),
        inbound_internet=False,
        outbound_internet="proxy",
        proxy=f"http://{machine.gateway}:{PROXY_PORT}",
        dns_servers=(machine.gateway,),
        time_sources=(machine.gateway,),
        mail=a.MailAnswers(machine.gateway, 25),
        # Ten minutes by default: too long for tests, and for those who watch a demonstration.
        timings={"soak": 3},
        signers=(a.Keyholder("demo-release", _public(release_key(machine.lab)), until),),
        backup=a.BackupAnswers(("database", "files", "machine_snapshot"), 24, 30, "dsi@hopital.example"),
    )  # fmt: skip
