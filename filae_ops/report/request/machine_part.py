"""What is asked of the machine itself: size, disks, system, and how it is handed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filae_ops.inventory.model.additions import KINDS
from filae_ops.inventory.reading.draft import at
from filae_ops.paths import data_path
from filae_ops.report.document.blocks import Block, Bullets, Facts, Heading, Section, Table, Text
from filae_ops.report.request.draft_values import Asking

GUEST_TOOLS = {"kvm": "qemu-guest-agent", "vmware": "open-vm-tools", "hyperv": "hyperv-daemons"}
"""Debian's package of each hypervisor's guest tools."""
FIRST_PACKAGES = ("ca-certificates", "openssh-server", "python3", "sudo")
"""What the first contact needs."""
WHOLE_BELOW_GIB = 32
_SYSTEMS = {"debian": "Debian", "ubuntu": "Ubuntu", "rhel": "Red Hat Enterprise Linux", "almalinux": "AlmaLinux",
            "rocky": "Rocky Linux"}  # fmt: skip


@dataclass(frozen=True)
class Volume:
    """One file system, or the swap."""

    point: str
    gib: int
    use: str
    """Key of its words."""


def layout(disk_gib: int) -> tuple[Volume, ...]:
    """Return the file systems of a disk; all but the swap and /boot count as the machine's disk when it is measured."""
    if disk_gib < WHOLE_BELOW_GIB:
        return (Volume("/", disk_gib, "whole"),)
    root = min(20, max(8, disk_gib // 5))
    rest = disk_gib - root - 2
    data, sets = rest * 4 // 10, rest * 3 // 10
    sizes = {"/boot": 1, "swap": 1, "/": root, "/var": data, "/srv/filae": rest - data - sets, "/var/backups": sets}
    return tuple(Volume(point, gib, point) for point, gib in sizes.items())


def guest_package(machine: Mapping[str, Any]) -> str | None:
    """Return the package of the guest tools that are declared; None: none, or not known yet."""
    return GUEST_TOOLS.get(str(at(machine, "hypervisor"))) if at(machine, "guest_tools") else None


def installed_packages() -> tuple[str, ...]:
    """Return Debian's packages that the roles install, from their own defaults."""
    import yaml

    found: set[str] = set()
    for path in data_path("roles").glob("*/defaults/main.yml"):
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found.update(*(names for key, names in values.items() if key == f"{path.parents[1].name}_packages"))
    return tuple(sorted(found))


def machine(asking: Asking) -> Section:
    """Return what each machine is to have."""
    say = asking.say["machine"]
    blocks: list[Block] = []
    machines = asking.draft.get("hosts", {})
    for name, variables in machines.items():
        blocks += [Heading(name)] if len(machines) > 1 else []
        blocks.append(Facts(tuple(_facts(asking, name, at(variables, "machine", {})))))
    return Section("machine", say["title"], tuple(blocks))


def _facts(asking: Asking, name: str, wanted: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    say, place = asking.say["machine"], f"hosts.{name}.machine"

    def memory(mib: int) -> str:
        return str(say["memory_value"]).format(gib=f"{mib / 1024:.4g}", mib=mib)

    yield say["name"], name
    yield say["cpus"], asking.value(at(wanted, "cpus"), f"{place}.cpus")
    yield say["memory"], asking.value(at(wanted, "memory_mib"), f"{place}.memory_mib", memory)
    yield (
        say["disk"],
        asking.value(at(wanted, "disk_gib"), f"{place}.disk_gib", lambda gib: str(say["disk_value"]).format(gib=gib)),
    )
    yield (
        say["hypervisor"],
        asking.value(
            at(wanted, "hypervisor"), f"{place}.hypervisor", lambda kind: str(asking.say["hypervisors"].get(kind, kind))
        ),
    )
    tools = guest_package(wanted)
    yield say["tools"], asking.value(
        at(wanted, "guest_tools"), f"{place}.guest_tools",
        lambda yes: str(say["tools_yes"]).format(package=tools or "…") if yes else str(say["tools_no"]),
    )  # fmt: skip
    yield say["firmware"], str(say["firmware_value"])


def disks(asking: Asking) -> Section:
    """Return how each machine's disk is to be divided."""
    say = asking.say["disks"]
    blocks: list[Block] = [Text(say["one"])]
    split = False
    for name, variables in asking.draft.get("hosts", {}).items():
        gib = at(variables, "machine.disk_gib")
        if not isinstance(gib, int):
            continue
        volumes = layout(gib)
        split = split or len(volumes) > 1
        rows = tuple((volume.point, str(volume.gib), str(say["uses"][volume.use])) for volume in volumes)
        blocks.append(Table(str(say["caption"]).format(name=name, gib=gib), tuple(say["headers"]), rows, (22, 18, 60)))
    return Section("disks", say["title"], (*blocks, *((Text(say["lvm"]),) if split else ())))


def system(asking: Asking) -> Section:
    """Return the operating system that is expected."""
    say, draft = asking.say["system"], asking.draft
    rows, packages = [], set(FIRST_PACKAGES)
    for name, variables in draft.get("hosts", {}).items():
        wanted = at(variables, "machine", {})
        packages |= {package for package in (guest_package(wanted),) if package}
        place = f"hosts.{name}.machine"
        rows.append((say["os"], asking.value(at(wanted, "os.id") and _named(wanted), f"{place}.os", lambda os: (
            str(say["os_value"]).format(name=os)))))  # fmt: skip
        rows.append((say["encryption"], asking.value(at(wanted, "disk_encryption"), f"{place}.disk_encryption")))
    rows.append((say["language"], f"{asking.text('site.locale')}, {asking.text('site.timezone')}"))
    shown = {"packages": ", ".join(sorted(packages)), "installed": ", ".join(installed_packages())}
    bullets = Bullets(tuple(str(item).format(**shown) for item in say["bullets"]))
    additions = Table(
        say["additions"],
        tuple(say["additions_headers"]),
        tuple(_additions(asking)),
        (46, 34, 20),
        empty=say["no_addition"],
    )
    return Section("system", say["title"], (Facts(tuple(dict.fromkeys(rows))), bullets, additions))


def _additions(asking: Asking) -> Iterator[tuple[str, ...]]:
    """Return what is already declared of what others put on the machines."""
    for name, variables in asking.draft.get("hosts", {}).items():
        for number, entry in enumerate(at(variables, "machine.additions", [])):
            place = f"hosts.{name}.machine.additions.{number}"
            what = next((str(at(entry, kind)) for kind in KINDS if at(entry, kind)), None)
            yield (
                asking.value(what, place), asking.value(at(entry, "purpose"), f"{place}.purpose"),
                str(asking.say["parties"][at(entry, "owner", "dsi")]),
            )  # fmt: skip


def _named(wanted: Mapping[str, Any]) -> str:
    name = str(at(wanted, "os.id"))
    return f"{_SYSTEMS.get(name, name)} {at(wanted, 'os.version', '')}".strip()


def handover(asking: Asking, account: str) -> Section:
    """Return how the machine's key reaches the inventory."""
    say = asking.say["handover"]
    return Section("handover", say["title"], (Bullets(tuple(str(step).format(name=account) for step in say["steps"])),))
