"""The files that name hosts and name servers, from what anybody else wrote there."""

from __future__ import annotations

import pytest

from filae_ops.facts import derived_files, network_files


@pytest.mark.parametrize(
    ("path", "text", "known"),
    [
        ("/etc/hosts", "127.0.0.1 localhost\n10.0.0.5 site.hopital.example site\nff02::1 ip6-allnodes\n", True),
        ("/etc/hosts", "127.0.0.1 localhost\n10.0.0.66 mirror.example\n", False),
        ("/etc/hosts", "127.0.0.1 localhost mirror.hopital.example\n", False),
        ("/etc/hosts", "127.0.1.1 mirror.example\n", False),
        ("/etc/hosts", "# local \\\n203.0.113.66 mirror.example\n", False),
        ("/etc/resolv.conf", "; made\nsearch hopital.example\nnameserver 10.0.0.53\noptions edns0\n", True),
        ("/etc/resolv.conf", "nameserver 10.0.0.53\nevil x\n", False),
    ],
)  # fmt: skip
def test_hosts_and_name_servers_are_known_by_what_they_name(disk, path, text, known):
    disk[path] = text
    assert bool(derived_files.made_by(path, "")) is known


def test_the_name_servers_are_those_behind_systemd_s_own(disk):
    disk["/etc/resolv.conf"] = "nameserver 127.0.0.53\n"
    disk["/run/systemd/resolve/resolv.conf"] = "# x\nnameserver 10.0.0.53\n"
    assert network_files.resolver_servers({}) == ["10.0.0.53"]
    disk["/etc/resolv.conf"] = "nameserver 10.0.0.53\nnameserver 203.0.113.66\n"
    assert network_files.resolver_servers({}) == ["10.0.0.53", "203.0.113.66"]


def test_a_server_of_the_machine_s_own_is_told_by_its_socket(disk):
    disk["/etc/resolv.conf"] = "nameserver ::1\nnameserver 127.0.0.1\nnameserver fe80::1%eth0\nnameserver x\n"
    assert network_files.resolver_servers({}) == ["fe80::1%eth0", "x"]
