"""The lab's machines together: bring up, describe, take down, and clean what a dead run left behind."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from typing import Any

from filae_ops.errors import OpsError
from filae_ops.lab import hospital_services, lifecycle
from filae_ops.lab.bridge import BLOCK, bridge_name, lab_dir, remove_network
from filae_ops.lab.host import install_missing, require_host
from filae_ops.lab.image import SUITES
from filae_ops.lab.lifecycle import lock_lab
from filae_ops.lab.machine import Machine
from filae_ops.lab.machine_inventory import release_key, write_inventory
from filae_ops.lab.shell import run
from filae_ops.lab.state import HOME, documents, lab_id, locked, process_start

Say = Callable[[str], None]


def up(
    name: str, *, suite: str = "trixie", source: Machine | None = None, owner: int | None = None, say: Say
) -> Machine:
    """Return a running machine of that name: started, made, or copied from a stopped one.

    `owner` is the process for which it is made: when that is gone, any later run removes the lab.
    """
    require_host()
    if suite not in SUITES:
        raise OpsError(f"suite {suite!r} is not one of {', '.join(SUITES)}", exit_code=2)
    install_missing(say)
    sweep()
    with lock_lab():
        known = {machine.name: machine for machine in lifecycle.machines()}
        machine = known.get(name)
        if machine is None:
            machine = lifecycle.create(name, suite=suite, source=source, owner=owner, say=say)
            write_inventory(machine, source)
        elif machine.suite != suite and source is None:
            raise OpsError(
                f"machine {name} exists with suite {machine.suite}, not {suite}",
                next_step=f"./filae-ops lab down {name}",
            )
        lifecycle.start(machine)
    return machine


def known() -> list[Machine]:
    """Return this lab's machines."""
    return lifecycle.machines()


def describe(machine: Machine) -> dict[str, Any]:
    """Return what a program needs to use a machine."""
    return {
        "name": machine.name,
        "state": "running" if machine.running else "off",
        "suite": machine.suite,
        "address": machine.address,
        "public_name": machine.public_name,
        "ssh_user": "lab",
        "ssh_key": str(machine.ssh_key),
        "host_key": machine.host_key,
        "inventory": str(machine.inventory),
        "release_key": str(release_key(machine.lab)),
    }


def reset(name: str, *, say: Say) -> Machine:
    """Replace a machine by a bare one of the same name and suite."""
    require_host()
    suite = lifecycle.find(name).suite
    lifecycle.remove(lifecycle.find(name))
    return up(name, suite=suite, say=say)


def down(name: str | None) -> None:
    """Remove one machine, or the whole lab when no name is given."""
    require_host()
    with lock_lab():
        if name is not None:
            lifecycle.remove(lifecycle.find(name))
        if name is None or not lifecycle.machines():
            for machine in lifecycle.machines():
                lifecycle.remove(machine)
            _dismantle(lab_id())


def sweep() -> None:
    """Remove every lab whose owner died, and the network of labs that no machine uses any more."""
    with locked(HOME / "sweep.lock"):
        for settings, lab in documents("labs/*/lab.json").items():
            if "owner" in lab and process_start(lab["owner"]) != lab["owner_start"]:
                # What cannot be stopped now is not in the way of another lab.
                with contextlib.suppress(OpsError):
                    for machine in lifecycle.machines(settings.parent.name):
                        lifecycle.remove(machine)
                    _dismantle(settings.parent.name)
    with locked(HOME / "network.lock"):
        _sweep_network()


def _sweep_network() -> None:
    bridges = run(["ip", "-o", "link", "show", "type", "bridge"]).stdout
    kept = {bridge_name(path.name) for path in HOME.glob("labs/*")}
    for line in bridges.splitlines():
        bridge = line.split(":")[1].strip()
        # A lab kept elsewhere ($FILAE_LAB_HOME, a chroot) is not ours to remove while a machine is on its bridge.
        used = bridge in kept or run(["ip", "link", "show", "master", bridge], check=False).stdout
        if bridge.startswith("flab-") and not used:
            run(["ip", "link", "del", bridge], check=False)
    subnets = {lab["subnet"] for lab in documents("labs/*/lab.json").values()}
    addresses = run(["ip", "-4", "-o", "address"]).stdout
    for line in run(["ip", "route", "show", "type", "blackhole"]).stdout.splitlines():
        route = line.split()[1]
        subnet = route.removesuffix(".0/24")
        if route.startswith(f"{BLOCK}.") and subnet not in subnets and f" {subnet}.1/" not in addresses:
            run(["ip", "route", "del", "blackhole", route], check=False)


def _dismantle(lab: str) -> None:
    hospital_services.stop(lab)
    remove_network(lab)
    shutil.rmtree(lab_dir(lab), ignore_errors=True)
