"""What each entry of `additions` accounts for on a machine: a path, what a folder holds, what a unit is made of."""

from __future__ import annotations

import pytest

from filae_ops.inventory.model.additions import Addition, accounts_for, accounts_for_unit, unit_of

ADDITIONS = [
    Addition(path="/opt/falcon", purpose="x"), Addition(path="/etc/cron.d/veeam", purpose="x"),
    Addition(unit="falcon-sensor.service", purpose="x"), Addition(unit="agent@site.timer", purpose="x"),
    Addition(unit="scan@.service", purpose="x"), Addition(package="falcon-sensor", purpose="x"),
]  # fmt: skip
OWNED = {
    "/opt/falcon": "/opt/falcon",
    "/opt/falcon/bin/sensor": "/opt/falcon",
    "/etc/cron.d/veeam": "/etc/cron.d/veeam",
    "/etc/systemd/system/falcon-sensor.service": "falcon-sensor.service",
    "/run/systemd/system/falcon-sensor.service": "falcon-sensor.service",
    "/usr/lib/systemd/system/falcon-sensor.service": "falcon-sensor.service",
    "/usr/local/lib/systemd/system/falcon-sensor.service": "falcon-sensor.service",
    "/etc/systemd/system/falcon-sensor.service.d": "falcon-sensor.service",
    "/etc/systemd/system/falcon-sensor.service.d/override.conf": "falcon-sensor.service",
    "/etc/systemd/system/multi-user.target.wants/falcon-sensor.service": "falcon-sensor.service",
    "/etc/systemd/system/graphical.target.requires/falcon-sensor.service": "falcon-sensor.service",
    "/etc/systemd/system/agent@.timer": "agent@site.timer",
    "/etc/systemd/system/timers.target.wants/agent@site.timer": "agent@site.timer",
    "/etc/systemd/system/scan@.service": "scan@.service",
    "/etc/systemd/system/multi-user.target.wants/scan@daily.service": "scan@.service",
}
NOT_OWNED = [
    "/opt/falcon-2", "/opt", "/opt/falconry/x", "/etc/cron.d/veeam.dpkg-old", "/etc/cron.d",
    "/etc/systemd/system/ssh.service.d/falcon-sensor.service",
    "/etc/systemd/system/falcon-sensor.service.wants/x.service", "/etc/systemd/user/falcon-sensor.service",
    "/etc/systemd/system/service.d/override.conf", "/etc/systemd/system/falcon-.service.d/override.conf",
    "/etc/systemd/system/agent@other.timer", "/etc/systemd/system/falcon-sensor.timer",
    "/var/lib/falcon-sensor.service", "/etc/systemd/system/falcon-sensor.service/x",
]  # fmt: skip


@pytest.mark.parametrize("path", OWNED)
def test_an_entry_accounts_for_its_paths(path):
    found = accounts_for(ADDITIONS, path)
    assert found is not None
    assert found.name == OWNED[path]


@pytest.mark.parametrize("path", NOT_OWNED)
def test_an_entry_accounts_for_nothing_else(path):
    assert accounts_for(ADDITIONS, path) is None


def test_units_are_accounted_for_by_name():
    found = {name: accounts_for_unit(ADDITIONS, name) for name in ("scan@x.service", "agent@site.timer", "x.service")}
    assert [each and each.name for each in found.values()] == ["scan@.service", "agent@site.timer", None]
    assert unit_of("/etc/systemd/system/x.service.d/a/b.conf") == "x.service"
    assert unit_of("/etc/cron.d/x.service") is None
