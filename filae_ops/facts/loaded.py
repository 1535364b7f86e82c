"""What runs beside what is written: units and their environment, processes, libraries, nginx, sshd, the kernel."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH115, PTH116, PTH119, PTH207

from __future__ import annotations

import contextlib
import glob
import os
import re
import time
from typing import Any

from filae_ops.facts import package_files
from filae_ops.facts.gathering import Expected, Unmeasured, command, part, read

TICK = 0.02  # seconds: how exactly the kernel says when a process began
SYSCTL = ("/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/etc/sysctl.d", "/run/sysctl.d")
# What the kernel runs as root by itself, or lets through, and no file has to say.
KERNEL = (
    "kernel.core_pattern", "kernel.modprobe", "kernel.hotplug", "kernel.poweroff_cmd", "kernel.randomize_va_space",
    "fs.suid_dumpable", "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding",
)  # fmt: skip


@part
def manager(_: Expected) -> dict[str, Any]:
    """Return systemd's own environment, the units that changed since it read them, and each running one's files."""
    fields = "Id,FragmentPath,DropInPaths,SourcePath,NeedDaemonReload,Transient,ActiveState"
    text = command("systemctl", "show", f"--property={fields}", "*.service", "*.timer", "*.path", "*.socket")
    units = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in text.split("\n\n")]
    # The first is at the start, the second at each reload since, 0 before there was one.
    loads = "UnitsLoadStartTimestampMonotonic,UnitsLoadTimestampMonotonic"
    read_at = _since_boot(command("systemctl", "show", f"--property={loads}"))
    late = {unit["Id"] for unit in units if _newer(_files(unit), read_at)}
    return {
        "environment": command("systemctl", "show-environment").splitlines(),
        "unread": sorted(late | {unit["Id"] for unit in units if unit.get("NeedDaemonReload") == "yes"}),
        "transient": sorted(unit["Id"] for unit in units if unit.get("Transient") == "yes"),
        "fragments": {unit["Id"]: unit.get("FragmentPath", "") for unit in units if unit.get("Id")},
    }


def _files(unit: dict[str, str]) -> list[str]:
    """Return a unit's files, but for those that systemd's generators write anew each time that it reads."""
    paths = [*unit.get("DropInPaths", "").split(), unit.get("FragmentPath", "")]
    return [path for path in paths if path and not path.startswith("/run/")]


def unit_of(pid: str) -> str:
    """Return the unit in whose control group a process is: `ssh.service`, `session-4.scope`."""
    rows = [row.rsplit(":", 1)[-1] for row in read(f"/proc/{pid}/cgroup").splitlines()]
    names = [part for row in rows for part in row.split("/") if re.search(r"\.(service|scope)$", part)]
    return names[0] if names else ""


@part
def waiting(_: Expected) -> list[dict[str, str]]:
    """Return every TCP and UDP socket that waits for others, of the machine itself too, with program and unit."""
    found = []
    for line in command("ss", "-H", "-l", "-t", "-u", "-n", "-p").splitlines():
        fields = line.split()
        program = re.search(r'\(\("([^"]+)",pid=(\d+)', line)
        unit = unit_of(program[2]) if program else ""
        found.append({"socket": f"{fields[4]}/{fields[0]}", "program": program[1] if program else "", "unit": unit})
    return found


@part
def tables(_: Expected) -> list[str]:
    """Return the tables of nftables, and those of the older iptables, that filter or change packets."""
    rows = command("nft", "list", "tables").splitlines()
    legacy = [
        f"iptables-legacy {row}" for kind in ("ip", "ip6") for row in read(f"/proc/net/{kind}_tables_names").split()
    ]
    return [row.removeprefix("table ").strip() for row in rows] + legacy


@part
def fresh(_: Expected) -> dict[str, Any]:
    """Return, for nginx and sshd, the settings that were written after they were read last."""
    return {"nginx": _nginx(), "ssh": _ssh()}


def _nginx() -> list[str]:
    """Return the files of nginx's settings that are newer than its workers: each reload starts new ones."""
    master = read("/run/nginx.pid").strip()
    if not master.isdigit():
        raise Unmeasured("nginx does not run")
    files = re.findall(r"^# configuration file (.+):$", command("nginx", "-T", "-q"), re.M)
    births = [_born(pid) for pid in _children(master) if "shutting down" not in read(f"/proc/{pid}/cmdline")]
    if not births:
        raise Unmeasured("nginx has no worker")
    return _newer(files, min(births))


def _ssh() -> list[str]:
    """Return the files of sshd's settings that are newer than its last start or reload; by its socket, none can be."""
    shown = command("systemctl", "show", "ssh.service", "--property=ActiveState,StateChangeTimestampMonotonic")
    if "ActiveState=active" not in shown.splitlines():
        return []
    return _newer(["/etc/ssh/sshd_config", *glob.glob("/etc/ssh/sshd_config.d/*.conf")], _since_boot(shown))


def _since_boot(shown: str) -> float:
    """Return the latest moment that systemd gives in microseconds of its steady clock, in seconds since 1970."""
    latest = max((int(number) for number in re.findall(r"Monotonic=(\d+)", shown)), default=0)
    return time.time() - (time.monotonic() - latest / 1e6)


def _newer(paths: list[str], moment: float) -> list[str]:
    """Return the files that changed after a moment; by ctime, which no tool sets."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            if os.stat(path).st_ctime > moment + TICK:
                found.append(path)
    return sorted(found)


def _children(pid: str) -> list[str]:
    return read(f"/proc/{pid}/task/{pid}/children").split()


def _born(pid: str) -> float:
    """Return when a process began, in seconds since 1970; proc(5): the 22nd field, in ticks since the boot."""
    ticks = int(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[19])
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


@part
def kernel(_: Expected) -> dict[str, Any]:
    """Return the kernel's settings that files ask for, as they are now, and those that decide without a file."""
    asked: dict[str, str] = {}
    files = {os.path.basename(path): path for folder in SYSCTL for path in sorted(glob.glob(f"{folder}/*.conf"))}
    for path in [*(files[name] for name in sorted(files)), "/etc/sysctl.conf"]:
        for key, value in re.findall(r"^\s*-?\s*([a-z0-9_.*/-]+)\s*=\s*(.*?)\s*$", read(path), re.M):
            if "*" not in key:
                asked[key.replace("/", ".")] = value
    live = {key: _sysctl(key) for key in {*asked, *KERNEL}}
    # Only a machine of its own, and not a container, has all of them.
    own = command("systemd-detect-virt", "--container", statuses=(0, 1)).strip() == "none"
    shown = {key: value for key, value in live.items() if value is not None and (own or key.startswith("net."))}
    return {"asked": {key: value for key, value in asked.items() if key in shown}, "live": shown, "own": own}


def _sysctl(key: str) -> str | None:
    try:
        with open(f"/proc/sys/{key.replace('.', '/')}", encoding="utf-8") as stream:  # noqa: PTH123
            return " ".join(stream.read().split())
    except OSError:
        return None


@part
def libraries(_: Expected) -> list[str]:
    """Return what the loader's cache holds and no package brought: ldconfig(8)."""
    paths = {row.rpartition(" => ")[2] for row in command("ldconfig", "-p").splitlines() if " => " in row}
    return sorted(path for path in paths if not _packaged(path))


@part
def processes(_: Expected) -> list[dict[str, str]]:
    """Return what runs and is of no package: its program and its unit; of one that was replaced, the former name."""
    found = set()
    for link in glob.glob("/proc/[0-9]*/exe"):
        with contextlib.suppress(OSError):
            program = os.readlink(link).removesuffix(" (deleted)")
            if not _packaged(program):
                found.add((program, unit_of(link.split("/")[2])))
    return [{"program": program, "unit": unit} for program, unit in sorted(found)]


def _packaged(path: str) -> bool:
    """Tell whether the file that a path leads to is a package's."""
    return package_files.merged(os.path.realpath(path)) in package_files.owners()
