"""The machine that the DSI provides: on, intact, as large as declared. The DSI answers."""

from __future__ import annotations

import datetime as dt

from filae_ops.verification.check import Target, broken, check, no_object, not_run

GIB = 2**30
FREE_SHARE = 0.10
FREE_LEAST = 2 * GIB
TOOLS = {
    "kvm": ("qemu-guest-agent.service", "qemu-guest-agent"),
    "vmware": ("open-vm-tools.service", "open-vm-tools"),
    "hyperv": ("hv-kvp-daemon.service", "hyperv-daemons"),
}
"""The guest tools of each hypervisor: their unit, and Debian's package."""


def moment(on: Target, seconds: float) -> dt.datetime:
    from zoneinfo import ZoneInfo

    return dt.datetime.fromtimestamp(seconds, ZoneInfo(on.inventory.site.timezone))


@check("machine-stops", "DSI-01")
def test_no_stop_out_of_order(on: Target) -> None:
    """The machine never lost its power or was reset, in the last month."""
    found = on.facts["boots"]
    cuts = [when for when in found["unclean"] if when >= on.facts["system"]["installed"]]
    if cuts:
        broken("cut", moments=[moment(on, when) for when in cuts])


@check("disk-writable", "DSI-02")
def test_no_file_system_went_read_only(on: Target) -> None:
    """No file system went read-only."""
    bad = [each["point"] for each in on.facts["disks"]["mounts"] if each["read_only"]]
    if bad:
        broken("read_only", points=bad)


@check("disk-consistent", "DSI-02")
def test_file_systems_count_no_error(on: Target) -> None:
    """No file system counts errors."""
    counted = {each["point"]: each["errors"] for each in on.facts["disks"]["mounts"] if each["errors"] is not None}
    if not counted:
        not_run("uncounted")
    bad = [point for point, errors in counted.items() if errors]
    if bad:
        broken("errors", points=bad)


@check("disk-errors", "DSI-02")
def test_the_kernel_saw_no_disk_error(on: Target) -> None:
    """The kernel's log shows no disk error, in the last month."""
    if errors := on.facts["kernel_log"]["errors"]:
        broken("errors", number=len(errors), last=errors[-1])


@check("machine-cpu", "DSI-04", against=("machines[].cpus",))
def test_processors(on: Target) -> None:
    """The machine has its declared processors."""
    line = on.line("cpu")
    if line["status"] != "go":
        broken("too_few", found=line["values"]["found"], declared=on.declared.machine.cpus)


@check("machine-memory", "DSI-04", against=("machines[].memory_mib",))
def test_memory(on: Target) -> None:
    """The machine has its declared memory."""
    line = on.line("memory")
    if line["status"] != "go":
        found, least = line["values"]["found"], line["values"]["least"]
        broken("too_small", found=found, least=least, declared=on.declared.machine.memory_mib)


@check("machine-disk", "DSI-04", against=("machines[].disk_gib",))
def test_disk(on: Target) -> None:
    """The machine has its declared disk."""
    line = on.line("disk")
    if line["status"] != "go":
        broken("too_small", found=line["values"]["found"], declared=on.declared.machine.disk_gib)


@check("disk-space", "DSI-04")
def test_room_is_left(on: Target) -> None:
    """Every file system keeps 10 % and 2 GiB free."""
    for each in on.facts["disks"]["mounts"]:
        if each["point"].startswith("/boot") or not each["total"]:
            continue
        if each["free"] < max(FREE_SHARE * each["total"], min(FREE_LEAST, each["total"] / 2)):
            broken("full", point=each["point"], free=each["free"] / GIB, total=each["total"] / GIB)
        if each["inodes"] and each["inodes_free"] < FREE_SHARE * each["inodes"]:
            broken("no_inode", point=each["point"])


@check("guest-tools", "DSI-05", against=("machines[].guest_tools",))
def test_guest_tools(on: Target) -> None:
    """The hypervisor's guest tools run where they are declared."""
    machine = on.declared.machine
    if not machine.guest_tools:
        no_object("undeclared")
    unit, package = TOOLS[machine.hypervisor]
    state = on.facts["units"]["units"].get(unit, {})
    if state.get("LoadState", "not-found") == "not-found":
        broken("absent", unit=unit, package=package)
    if state["LoadState"] == "masked" or state["UnitFileState"] in ("disabled", "masked"):
        broken("switched_off", unit=unit)
    if state["ActiveState"] != "active":
        broken("stopped", unit=unit)
