"""The machine that the DSI provides: on, intact, as large as declared. The DSI answers."""

from __future__ import annotations

import datetime as dt

from filae_ops.verification.check import Target, broken, check, no_object, not_run

GIB = 2**30
FREE_SHARE = 0.10
FREE_LEAST = 2 * GIB
TOOLS = {"kvm": "qemu-guest-agent.service", "vmware": "open-vm-tools.service", "hyperv": "hv-kvp-daemon.service"}


def moment(on: Target, seconds: float) -> str:
    from zoneinfo import ZoneInfo

    return f"{dt.datetime.fromtimestamp(seconds, ZoneInfo(on.inventory.site.timezone)):%Y-%m-%d %H:%M}"


@check("machine-stops", "DSI-01")
def test_no_stop_out_of_order(on: Target) -> None:
    """The machine never lost its power or was reset, in the last month."""
    found = on.facts["boots"]
    cuts = [when for when in found["unclean"] if when >= on.facts["system"]["installed"]]
    if cuts:
        times = ", ".join(moment(on, when) for when in cuts)
        broken(
            f"stopped without being told, in {found['days']} days: {times}",
            "dsi: find the cause (power, hypervisor, reset) and tell the provider before a stop",
        )


@check("disk-writable", "DSI-02")
def test_no_file_system_went_read_only(on: Target) -> None:
    """No file system went read-only."""
    bad = [each["point"] for each in on.facts["disks"]["mounts"] if each["read_only"]]
    if bad:
        broken(f"read-only: {', '.join(bad)}", "dsi: look at the storage below; provider: then fsck and restart")


@check("disk-consistent", "DSI-02")
def test_file_systems_count_no_error(on: Target) -> None:
    """No file system counts errors."""
    counted = {each["point"]: each["errors"] for each in on.facts["disks"]["mounts"] if each["errors"] is not None}
    if not counted:
        not_run("no file system here keeps a count of its errors (ext4 alone does)")
    bad = [point for point, errors in counted.items() if errors]
    if bad:
        broken(f"file system errors on {', '.join(bad)}", "dsi: look at the storage below; provider: then fsck")


@check("disk-errors", "DSI-02")
def test_the_kernel_saw_no_disk_error(on: Target) -> None:
    """The kernel's log shows no disk error, in the last month."""
    if errors := on.facts["kernel_log"]["errors"]:
        broken(f"{len(errors)} disk errors, the last: {errors[-1]}", "dsi: look at the storage below")


@check("machine-cpu", "DSI-04", against=("machines[].cpus",))
def test_processors(on: Target) -> None:
    """The machine has its declared processors."""
    on.line("cpu")


@check("machine-memory", "DSI-04", against=("machines[].memory_mib",))
def test_memory(on: Target) -> None:
    """The machine has its declared memory."""
    on.line("memory")


@check("machine-disk", "DSI-04", against=("machines[].disk_gib",))
def test_disk(on: Target) -> None:
    """The machine has its declared disk."""
    on.line("disk")


@check("disk-space", "DSI-04")
def test_room_is_left(on: Target) -> None:
    """Every file system keeps 10 % and 2 GiB free."""
    for each in on.facts["disks"]["mounts"]:
        if each["point"].startswith("/boot") or not each["total"]:
            continue
        if each["free"] < max(FREE_SHARE * each["total"], min(FREE_LEAST, each["total"] / 2)):
            room = f"{each['free'] / GIB:.1f} of {each['total'] / GIB:.1f} GiB"
            broken(
                f"{each['point']} is nearly full: {room} left",
                "dsi: enlarge the file system; provider: see what grew (journalctl --disk-usage, /var/backups)",
            )
        if each["inodes"] and each["inodes_free"] < FREE_SHARE * each["inodes"]:
            broken(f"{each['point']} has nearly no inode left", "provider: see what makes small files")


@check("guest-tools", "DSI-05", against=("machines[].guest_tools",))
def test_guest_tools(on: Target) -> None:
    """The hypervisor's guest tools run where they are declared."""
    machine = on.declared.machine
    if not machine.guest_tools:
        no_object("the inventory declares no guest tools for this machine")
    unit = TOOLS[machine.hypervisor]
    if on.facts["units"]["units"].get(unit, {}).get("ActiveState") != "active":
        broken(f"{unit} does not run", "dsi: give the machine its agent's channel; provider: then install and start it")
