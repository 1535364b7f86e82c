"""The cloud-init file of a request, tried on a bare machine as a DSI would: schema, first access, host key, doctor."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sites import Site, run_ops, say

from filae_ops.lab import fleet, lifecycle

INSTALL = """
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends cloud-init >/dev/null 2>&1
"""
# The lab keeps its own network; /dev/console is kept as a file.
BOOT = """
mkdir -p /var/lib/cloud/seed/nocloud
echo %s | base64 -d > /var/lib/cloud/seed/nocloud/user-data
echo 'instance-id: filae-1' > /var/lib/cloud/seed/nocloud/meta-data
printf 'datasource_list: [NoCloud]\\nnetwork: {config: disabled}\\n' > /etc/cloud/cloud.cfg.d/99-seed.cfg
cloud-init schema --config-file /var/lib/cloud/seed/nocloud/user-data || exit 3
rm -f /dev/console /run/console && mkfifo /run/console && ln -s /run/console /dev/console
( exec 3<>/run/console; exec cat <&3 >/run/console.seen 2>/dev/null ) </dev/null >/dev/null 2>&1 &
for step in "init --local" init "modules --mode=config" "modules --mode=final"; do
  cloud-init $step >/run/step.log 2>&1 || { cat /run/step.log; exit 4; }
done
systemctl restart ssh
cat /run/console.seen
"""
SEEN = "passwd -S debian; hostname; cat /etc/timezone /etc/default/locale; sshd -T; cat /etc/chrony/chrony.conf"


@pytest.fixture(scope="module")
def site(lab: Path) -> Iterator[Site]:
    site = Site(fleet.up("cloud", say=say))
    yield site
    lifecycle.remove(site.machine)


@pytest.fixture(scope="module")
def user_data(site: Site, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("seed") / "user-data"
    done = site.ops("request-vm", "--cloud-init", str(file))
    assert done.returncode == 0, done.stderr
    return file.read_bytes()


@pytest.fixture(scope="module")
def console(site: Site, user_data: bytes) -> str:
    installed = site.run(INSTALL, timeout=300)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    done = site.run(BOOT % base64.b64encode(user_data).decode(), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def as_debian(site: Site, host_key: str, known: Path, command: str) -> subprocess.CompletedProcess[str]:
    known.write_text(f"{site.machine.address} {host_key}\n")
    argv = ["ssh", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
    argv += ["-i", str(site.machine.ssh_key), f"debian@{site.machine.address}", command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


def test_the_first_access_and_the_host_key_read_at_the_console(site: Site, console: str, tmp_path: Path) -> None:
    """The key that the console showed, pasted into hosts.yml, is the one that `doctor` meets."""
    assert "Valid schema" in console
    shown = re.search(r"hosts\.yml, host_key:\s+(ssh-ed25519 \S+)\s+(256 SHA256:\S+)", console)
    assert shown, console
    assert shown[1] != site.machine.host_key, "a template's key must not stay"
    assert shown[2].split()[1] in console.replace(shown[0], ""), "cloud-init shows the fingerprint too"

    entered = as_debian(site, shown[1], tmp_path / "known", "sudo -n id -u")
    assert (entered.stdout, entered.stderr) == ("0\n", "")

    hosts = site.inventory.read_text()
    assert site.machine.host_key in hosts
    site.inventory.write_text(hosts.replace(site.machine.host_key, shown[1]))
    doctor = run_ops(
        "-i", str(site.inventory), "doctor", "--bootstrap-user", "debian", "--key", str(site.machine.ssh_key), "--json"
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert json.loads(doctor.stdout)["lines"]

    seen = as_debian(site, shown[1], tmp_path / "known", f"sudo -n sh -c '{SEEN}'").stdout
    assert "debian L " in seen, "no password"
    for line in (site.machine.name, "Europe/Paris", "LANG=fr_FR.UTF-8", "passwordauthentication no"):
        assert line in seen.splitlines(), seen
    assert f"server {site.machine.gateway}" in seen
