"""A link is known by where it leads."""

from __future__ import annotations

import pytest

from filae_ops.facts import derived_files

UNITS = "/usr/lib/systemd/system"


@pytest.mark.parametrize(
    ("path", "target", "known"),
    [
        ("/etc/systemd/system/multi-user.target.wants/known.service", f"{UNITS}/known.service", True),
        ("/etc/systemd/system/other.service", f"{UNITS}/known.service", True),
        ("/etc/systemd/system/sysinit.target.wants/known.service", f"{UNITS}/known.service", False),
        ("/etc/systemd/system/sysinit.target.wants/debug-shell.service", f"{UNITS}/debug-shell.service", False),
        ("/etc/systemd/system/multi-user.target.wants/known.service", "/root/known.service", False),
        ("/etc/systemd/system/unattended-upgrades.service", "/dev/null", False),
        ("/etc/alternatives/editor", "/bin/nano", True),
        ("/etc/alternatives/editor", "/tmp/editor", False),
        ("/etc/alternatives/mallory", "/bin/nano", False),
        ("/usr/sbin/ls", "/etc/alternatives/mallory", False),
        ("/usr/share/nginx/html/etc", "/etc/init.d/ssh", False),
        ("/usr/share/icons/x", "/etc/init.d/ssh", True),
        ("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf", True),
        ("/etc/resolv.conf", "/tmp/resolv.conf", False),
        ("/usr/bin/editor", "/etc/alternatives/editor", True),
        ("/usr/bin/ls", "/etc/alternatives/editor", False),
        ("/etc/rc2.d/S01ssh", "../init.d/ssh", True),
        ("/etc/rc2.d/S01evil", "../init.d/evil", False),
        ("/etc/ssl/certs/good.pem", "/usr/share/ca-certificates/good.crt", True),
        ("/etc/ssl/certs/hospital.pem", "/usr/local/share/ca-certificates/hospital.crt", True),
        ("/etc/ssl/certs/0a1b2c3d.0", "hospital.pem", True),
        ("/etc/ssl/certs/0a1b2c3d.0", "/root/evil.pem", False),
        ("/etc/ssl/certs/evil.pem", "/root/evil.pem", False),
        ("/etc/mtab", "../proc/self/mounts", True),
        ("/etc/mtab", "/tmp/mounts", False),
    ],
)  # fmt: skip
def test_a_link_is_known_by_where_it_leads(disk, path, target, known):
    assert bool(derived_files.made_by(path, target)) is known
