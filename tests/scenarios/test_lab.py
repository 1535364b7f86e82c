"""Disposable machines: quick, apart from each other, and gone without a trace."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sites import run_ops
from waiting import until

from filae_ops.lab.bridge import bridge_name
from filae_ops.lab.state import HOME

FIELDS = {"name", "address", "ssh_user", "ssh_key", "host_key", "inventory"}


class Lab:
    """A lab of its own name, driven as a person does."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run_ops("lab", *words, env={"FILAE_LAB": self.name})

    def up(self, *words: str) -> Any:
        done = self("up", *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ssh(self, name: str, *command: str) -> str:
        return self("ssh", name, "--", *command).stdout.strip()


def traces(name: str) -> list[str]:
    """Return what a lab has on this host: directories, loop devices, control groups."""
    loops = subprocess.run(["losetup", "--list", "--noheadings"], capture_output=True, text=True).stdout
    found = [line for line in loops.splitlines() if f"labs/{name}/" in line]
    return found + [str(path) for path in HOME.glob(f"labs/{name}")]


def running(address: str) -> list[str]:
    """Return the processes of this host whose command line names a lab's subnet."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [words] if address.rsplit(".", 1)[0] + "." in words else []
    return found


def network(address: str) -> list[str]:
    """Return the host's addresses and routes of a lab's subnet."""
    addresses = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True).stdout
    routes = subprocess.run(["ip", "route", "show", "table", "all"], capture_output=True, text=True).stdout
    return [line for line in (addresses + routes).splitlines() if address.rsplit(".", 1)[0] + "." in line]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab(f"lab-{os.getpid()}")
    yield made
    made("down", "--all")


@pytest.fixture(scope="module")
def machine(lab: Lab) -> dict[str, str]:
    found: dict[str, str] = lab.up("one")
    return found


def test_up_prints_what_a_program_needs(machine: dict[str, str]) -> None:
    assert set(machine) >= FIELDS
    assert Path(machine["inventory"]).is_file()
    assert Path(machine["ssh_key"]).stat().st_mode & 0o077 == 0


def test_up_again_gives_the_same_machine(lab: Lab, machine: dict[str, str]) -> None:
    assert lab.up("one")["host_key"] == machine["host_key"]


def test_the_machine_is_a_real_one(lab: Lab, machine: dict[str, str]) -> None:
    assert lab.ssh("one", "cat", "/proc/1/comm") == "systemd"
    assert lab.ssh("one", "systemctl", "is-system-running", "--wait") == "running"
    assert lab.ssh("one", "stat", "-f", "-c", "%T", "/sys/fs/cgroup") == "cgroup2fs"


def test_no_packet_leaves_the_lab(lab: Lab, machine: dict[str, str]) -> None:
    """Beyond the bridge there is nothing: neither another address of the host's network, nor any other."""
    gateway = subprocess.run(["ip", "-4", "route", "show", "default"], capture_output=True, text=True).stdout.split()
    outside = gateway[2] if len(gateway) > 2 else "192.0.2.1"
    probe = f"import socket; socket.create_connection(('{outside}', 53), 2)"
    done = lab("ssh", "one", "--", "python3", "-c", f'"{probe}"')
    assert done.returncode != 0
    assert "Error" in done.stderr or "timed out" in done.stderr


def booted(lab: Lab) -> str:
    return lab.ssh("one", "systemctl", "show", "-p", "UserspaceTimestampMonotonic", "-p", "UserspaceTimestamp")


def test_a_reboot_from_inside_comes_back(lab: Lab, machine: dict[str, str]) -> None:
    before = booted(lab)
    lab("ssh", "one", "--", "sudo", "systemctl", "reboot")
    until(lambda: booted(lab) not in ("", before))


def test_a_power_cut_keeps_the_disk_and_the_address(lab: Lab, machine: dict[str, str]) -> None:
    lab("ssh", "one", "--", "sudo", "sh", "-c", "'echo kept > /root/kept; sync'")
    assert lab("cut", "one").returncode == 0
    states = {row["name"]: row["state"] for row in json.loads(lab("list", "--json").stdout)}
    assert states["one"] == "off"
    assert lab.up("one")["address"] == machine["address"]
    assert lab.ssh("one", "sudo", "cat", "/root/kept") == "kept"


def test_a_machine_whose_supervisor_was_killed_is_started_again(lab: Lab, machine: dict[str, str]) -> None:
    directory = Path(machine["inventory"]).parents[1]
    os.kill(int((directory / "supervisor.pid").read_text()), signal.SIGKILL)
    assert lab.up("one")["address"] == machine["address"]
    assert lab.ssh("one", "sudo", "cat", "/root/kept") == "kept"


def test_a_machine_that_is_powering_itself_off_is_started_again(lab: Lab, machine: dict[str, str]) -> None:
    """Also while sshd still lets people in: it is stopped after a unit that takes its time."""
    before = booted(lab)
    slow = ["systemd-run", "-q", "--property=After=ssh.service", "--property=ExecStop=/bin/sleep\\ 5", "sleep", "inf"]
    assert lab("ssh", "one", "--", "sudo", *slow).returncode == 0
    lab("ssh", "one", "--", "sudo", "systemctl", "poweroff")
    lab.up("one")
    assert booted(lab) not in ("", before)


def test_reset_gives_a_bare_machine_with_another_key(lab: Lab, machine: dict[str, str]) -> None:
    assert lab("reset", "one").returncode == 0
    assert lab.up("one")["host_key"] != machine["host_key"]
    assert lab("ssh", "one", "--", "sudo", "test", "-e", "/root/kept").returncode == 1


def test_two_labs_have_machines_of_the_same_name_that_do_not_meet(lab: Lab) -> None:
    """Control groups included: stopping a unit in one must not end it in the other."""
    other = Lab(f"other-{os.getpid()}")
    try:
        theirs, ours = other.up("one"), lab.up("one")
        assert theirs["address"] != ours["address"]
        other("ssh", "one", "--", "sudo", "systemctl", "stop", "systemd-journald.socket", "systemd-journald")
        assert lab.ssh("one", "systemctl", "is-active", "systemd-journald") == "active"
    finally:
        other("down", "--all")
    assert traces(other.name) == []


def test_several_at_once(lab: Lab) -> None:
    rows = lab.up("many", "--count", "2")
    assert [row["name"] for row in rows] == ["many1", "many2"]
    assert len({row["address"] for row in rows}) == 2


def test_machines_that_come_and_go_cut_no_other_off(lab: Lab) -> None:
    """Machines know the gateway by its address on the link: it is not one machine's, gone with it."""
    address = Path(f"/sys/class/net/{bridge_name(lab.name)}/address")
    for name in ("many1", "many2"):
        lab("down", name)
    seen = set()
    for stays, goes in (("one", "two"), ("two", "one")):
        lab.up(stays)
        lab("cut", goes)
        seen.add(address.read_text())
    assert len(seen) == 1


def test_the_host_is_left_as_it_was_found() -> None:
    short = Lab(f"short-{os.getpid()}")
    address = short.up("one")["address"]
    assert network(address)
    assert running(address)
    assert short("down", "--all").returncode == 0
    assert (network(address), running(address), traces(short.name)) == ([], [], [])


def test_what_a_dead_run_left_is_swept_by_the_next(lab: Lab) -> None:
    """A run that names itself the owner of its lab, and dies, blocks nobody."""
    dead = Lab(f"dead-{os.getpid()}")
    script = (
        "import os, sys; from filae_ops.lab import fleet; fleet.up('one', owner=os.getpid(), say=print); os._exit(1)"
    )
    subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "FILAE_LAB": dead.name}, capture_output=True, timeout=120
    )
    assert traces(dead.name)
    lab.up("one")
    assert traces(dead.name) == []


def test_a_bad_name_is_wrong_usage(lab: Lab) -> None:
    done = lab("up", "../../etc")
    assert done.returncode == 2
    assert "is not a machine name" in done.stderr
