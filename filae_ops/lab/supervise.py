"""Keep one machine running: `python -m filae_ops.lab.supervise DIRECTORY`, in a mount namespace of its own.

It mounts the machine's disk over the base image, boots it under systemd-nspawn and starts it again when it
reboots from inside (exit status 133). Its lock on DIRECTORY/lock says that the machine lives; killing it
is a power cut: the kernel ends the machine and drops its mounts.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from filae_ops.lab.shell import run
from filae_ops.lab.state import hold

REBOOT = 133


def nspawn_argv(machine: dict[str, str], root: Path) -> list[str]:
    """Return the exact command line of one boot."""
    return [
        "setpriv", "--pdeathsig", "KILL", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
        f"--directory={root}", f"--machine={machine['unique']}", f"--hostname={machine['name']}",
        f"--network-bridge={machine['bridge']}", "--console=passive", "--resolv-conf=off", "--timezone=off",
        "--link-journal=no",
    ]  # fmt: skip


def cgroup_roots() -> list[Path]:
    """Return where the host mounts the hierarchies that systemd uses: the unified one, and the named one if any."""
    found = []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options = line.split()[:4]
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(where))
    return found


def enter_cgroup(unique: str) -> None:
    """Move to a control group of the machine's own: without it two machines would share, and kill, each other's."""
    if Path("/run/systemd/system").is_dir():
        return  # systemd-run made one
    for root in cgroup_roots():
        group = root / f"filae-lab-{unique}"
        group.mkdir(exist_ok=True)
        (group / "cgroup.procs").write_text(str(os.getpid()))


def leave_cgroup(unique: str) -> None:
    """Remove the machine's control groups once nothing runs in them."""
    for root in cgroup_roots():
        group = root / f"filae-lab-{unique}"
        for path, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(path).rmdir()


def leaders(directory: Path) -> list[int]:
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


def main(directory: Path) -> int:
    """Mount, then boot until the machine powers itself off; return nspawn's last exit status."""
    _held = hold(directory / "lock")
    machine = json.loads((directory / "machine.json").read_text())
    (directory / "supervisor.pid").write_text(str(os.getpid()))
    enter_cgroup(machine["unique"])
    disk, root = directory / "disk", directory / "root"
    for path in (disk, root):
        path.mkdir(exist_ok=True)
    run(["mount", "-o", "loop,noatime", directory / "disk.img", disk])
    (disk / "upper").mkdir(exist_ok=True)
    (disk / "work").mkdir(exist_ok=True)
    layers = f"lowerdir={machine['image']},upperdir={disk}/upper,workdir={disk}/work"
    run(["mount", "-t", "overlay", "overlay", "-o", layers, root])
    seed = directory / "seed"
    if seed.is_dir():
        run(["cp", "--archive", "--no-preserve=ownership", f"{seed}/.", root])
        for home in ("root", "home/lab"):
            run(["chroot", root, "chown", "-R", f"{Path(home).name}:", f"/{home}/.ssh"])
        shutil.rmtree(seed)
    child: subprocess.Popen[bytes] | None = None

    def power_off(*_: object) -> None:
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, power_off)
    # A guest of today expects the unified hierarchy alone, whatever its host still mounts.
    env = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    status = REBOOT
    while status == REBOOT:
        child = subprocess.Popen(nspawn_argv(machine, root), stdin=subprocess.DEVNULL, env=env)
        (directory / "nspawn.pid").write_text(str(child.pid))
        status = child.wait()
    run(["umount", root], check=False)
    run(["umount", disk], check=False)
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
