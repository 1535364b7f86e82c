"""What the preflight says of a machine, measured here: the script as the role sends it, one case per row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/preflight/files/preflight.py"
NOBODY = "127.0.0.1"  # where nothing answers: no name server, no time server, no mail relay on port 1
EXPECTED: dict[str, Any] = {
    "machine": {"cpus": 1, "memory_mib": 1, "disk_gib": 1},
    "public_name": "localhost", "dns_servers": [], "time_sources": [], "tcp_out": [],
    "mirror": {"url": f"http://{NOBODY}:1/"}, "now": 0,
}  # fmt: skip


def measured(prelude: str = "", shell: Sequence[str] = (), **changes: Any) -> dict[str, dict[str, str]]:
    """Return the lines by id; the prelude and the shell around stand for what a test machine cannot be."""
    expected = {**EXPECTED, "now": time.time(), **changes}
    script = f"EXPECTED = {json.dumps(json.dumps(expected))}\n{prelude}{SCRIPT.read_text()}"
    done = subprocess.run([*shell, sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    return {line["id"]: line for line in json.loads(done.stdout)["lines"]}


@pytest.mark.parametrize(
    ("changes", "name", "status", "said"),
    [
        ({}, "cpu", "go", "declared: 1"),
        ({"machine": {"cpus": 250, "memory_mib": 1, "disk_gib": 1}}, "cpu", "no-go", "declared: 250"),
        ({"machine": {"cpus": 1, "memory_mib": 10**9, "disk_gib": 1}}, "memory", "no-go", f"at least {9 * 10**8}"),
        ({"machine": {"cpus": 1, "memory_mib": 1, "disk_gib": 10**9}}, "disk", "no-go", "declared: 1000000000"),
        ({}, "clock", "go", "limit 60 s"),
        ({"now": 0}, "clock", "no-go", "limit 60 s"),
        ({"time_sources": [NOBODY]}, "time-source", "warn", f"none of {NOBODY}"),
        ({"dns_servers": [NOBODY]}, "dns", "no-go", f"none of {NOBODY}"),
        ({}, "public-name", "go", "localhost resolves"),
        ({"public_name": "filae.invalid"}, "public-name", "warn", "to: nothing"),
        ({}, "apt-mirror", "no-go", "do not answer: http://127.0.0.1:1/"),
        ({"tcp_out": [{"id": "mail", "host": NOBODY, "port": 1}]}, "flow-mail", "warn", "TCP 127.0.0.1:1 does not"),
        ({}, "ipv6", "go", "can listen on [::]"),
        ({}, "transaction", "go", "nothing changes the machine"),
    ],
)
def test_lines(changes: dict[str, Any], name: str, status: str, said: str) -> None:
    line = measured(**changes)[name]
    assert line["status"] == status
    assert said in line["message"]
    assert line["owner"] in ("dsi", "provider")
    assert bool(line["next"]) == (status != "go")


# What the kernel says of an IPv6 socket after `ipv6.disable=1`.
NO_IPV6 = """
import errno, os, socket
class Without(socket.socket):
    def __init__(self, family=-1, *words, **options):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        super().__init__(family, *words, **options)
socket.socket = Without
"""


def test_a_kernel_without_ipv6_is_refused() -> None:
    line = measured(NO_IPV6)["ipv6"]
    assert (line["status"], line["owner"]) == ("no-go", "dsi")
    assert "Address family not supported by protocol" in line["message"]
    assert "ipv6.disable=1" in line["next"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of its own needs root")
def test_ipv6_switched_off_by_sysctl_is_enough_for_nginx() -> None:
    off = "for name in all default lo; do echo 1 >/proc/sys/net/ipv6/conf/$name/disable_ipv6; done"
    line = measured(shell=["unshare", "--net", "sh", "-c", off + '; test ! -s /proc/net/if_inet6 && exec "$@"', "sh"])
    assert line["ipv6"]["status"] == "go"


# Answers each that asks, once it has asked before.
HARD_OF_HEARING = """
import select, socket
servers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
for server, port in zip(servers, (53, 123)):
    server.bind(("127.0.0.1", port))
heard = []
while select.select(servers, [], [], 15)[0]:
    for server in select.select(servers, [], [], 0)[0]:
        packet, asker = server.recvfrom(512)
        if asker in heard:
            server.sendto(packet, asker)
        heard.append(asker)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of its own needs root")
def test_one_lost_datagram_accuses_nobody() -> None:
    around = 'ip link set lo up; "$0" -c "$1" >/dev/null 2>&1 & shift; exec "$@"'
    shell = ["unshare", "--net", "sh", "-c", around, sys.executable, HARD_OF_HEARING]
    lines = measured(shell=shell, dns_servers=[NOBODY], time_sources=[NOBODY])
    assert {lines[name]["status"] for name in ("dns", "time-source")} == {"go"}


# Debian's own file and another one, both with a source where nothing answers.
SOURCES = (
    "mount -t tmpfs none /etc/apt && mkdir /etc/apt/sources.list.d && cd /etc/apt/sources.list.d && "
    "echo 'deb http://127.0.0.1:2/debian trixie main' >debian.sources && "
    "echo 'deb http://127.0.0.1:3/stranger trixie main' >stranger.list && echo 'deb http://127.0.0.1:4/' >notes.txt && "
)


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of its own needs root")
@pytest.mark.parametrize(
    ("mirror", "own"),
    [({}, "http://127.0.0.1:2/debian"), ({"url": "http://127.0.0.1:1/", "security_url": ""}, "http://127.0.0.1:1/")],
)
def test_a_stranger_s_package_source_is_not_the_dsi_s_flow(mirror: dict[str, str], own: str) -> None:
    lines = measured(shell=["unshare", "--mount", "sh", "-c", SOURCES + 'exec "$@"', "sh"], mirror=mirror)
    mine, other = lines["apt-mirror"], lines["apt-other"]
    assert (mine["status"], mine["owner"]) == ("no-go", "dsi")
    assert mine["values"]["silent"] == [f"{own} ([Errno 111] Connection refused)"]
    assert (other["status"], other["owner"]) == ("warn", "provider")
    assert "http://127.0.0.1:3/stranger (/etc/apt/sources.list.d/stranger.list: " in other["message"]
    assert len(other["values"]["silent"]) == 1
    assert other["next"].startswith("remove them from the machine")


def test_a_check_that_breaks_is_told_and_hides_no_other() -> None:
    lines = measured(machine={})
    assert lines["resources"]["status"] == "no-go"
    assert "check resources broke: KeyError" in lines["resources"]["message"]
    assert lines["resources"]["owner"] == "provider"
    assert {"os", "clock", "apt-mirror", "transaction"} <= set(lines)
