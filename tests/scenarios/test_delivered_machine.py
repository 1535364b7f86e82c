"""A machine as hosts deliver it: what it brings is named, declared as `doctor` writes it, and then accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from filae_ops.verification.verify import Report, verify_inventory

# cloud-init really runs, from a seed on the disk; open-vm-tools comes as VMware's hosts have it.
HOST_S_OWN = """
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qqy --no-install-recommends cloud-init open-vm-tools >/dev/null
mkdir -p /var/lib/cloud/seed/nocloud
echo 'instance-id: delivered' > /var/lib/cloud/seed/nocloud/meta-data
echo 'network: {config: disabled}' > /etc/cloud/cloud.cfg.d/99-network.cfg
cat > /var/lib/cloud/seed/nocloud/user-data <<'EOF'
#cloud-config
preserve_hostname: true
manage_etc_hosts: false
ssh_deletekeys: false
ssh_genkeytypes: []
ssh_pwauth: false
apt: {preserve_sources_list: true}
users: [{name: debian, sudo: 'ALL=(ALL) NOPASSWD:ALL', shell: /bin/bash, lock_passwd: true}]
EOF
for stage in 'init --local' init 'modules --mode=config' 'modules --mode=final'; do
    cloud-init $stage >/dev/null 2>&1
done
"""
# A vendor's agent, in a package of no source of apt's, whose script makes what no package lists.
AGENT_S_OWN = r"""
set -e
mkdir -p /tmp/deb/DEBIAN /tmp/deb/opt/sentinelle
printf 'Package: sentinelle\nVersion: 1.0\nArchitecture: all\nMaintainer: E <e@editeur.example>\nDescription: agent\n' \
    > /tmp/deb/DEBIAN/control
printf '#!/bin/sh\nexec python3 -m http.server 7777 --bind 127.0.0.1 --directory /var/empty\n' \
    > /tmp/deb/opt/sentinelle/agent
cat > /tmp/deb/DEBIAN/postinst <<'EOF'
#!/bin/sh
set -e
useradd --system --shell /bin/sh sentinelle
printf '[Service]\nUser=sentinelle\nExecStart=/opt/sentinelle/agent\n[Install]\nWantedBy=multi-user.target\n' \
    > /etc/systemd/system/sentinelle.service
mkdir -p /etc/cron.d; echo '0 3 * * * sentinelle true' > /etc/cron.d/sentinelle
systemctl daemon-reload; systemctl enable -q --now sentinelle
nft add table inet sentinelle
EOF
chmod 0755 /tmp/deb/DEBIAN/postinst /tmp/deb/opt/sentinelle/agent
dpkg-deb --build /tmp/deb /tmp/sentinelle.deb >/dev/null
dpkg -i /tmp/sentinelle.deb >/dev/null
rm -r /tmp/deb /tmp/sentinelle.deb
until ss -Hltn | grep -q ':7777 '; do sleep 0.1; done
"""
BROUGHT = {
    ("package", "sentinelle"), ("unit", "sentinelle.service"), ("account", "debian"), ("account", "sentinelle"),
    ("nft_table", "inet sentinelle"), ("path", "/etc/cron.d/sentinelle"),
    ("path", "/etc/sudoers.d/90-cloud-init-users"),
    ("path", "/etc/ssh/sshd_config.d/50-cloud-init.conf"), ("path", "/etc/cloud/cloud.cfg.d/99-network.cfg"),
}  # fmt: skip


def red(report: Report) -> dict[str, str]:
    return {each.id: each.message for each in report.verdicts if each.status == "fail"}


def declare(inventory: Path, rows: list[dict[str, str]]) -> None:
    """Paste what doctor wrote below `machine:`, each with what it is for."""
    content = yaml.safe_load(inventory.read_text())
    (host,) = content["filae"]["hosts"].values()
    entries = [{key: value for key, value in row.items() if key != "machine"} for row in rows]
    host["machine"].setdefault("additions", []).extend(
        {**entry, "purpose": "agent de l'hébergeur"} for entry in entries
    )
    inventory.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def test_what_a_host_delivered_is_green_once_declared(copy):
    provisioned = copy.ops("provision")
    assert provisioned.returncode == 0, provisioned.stderr
    for brought in (HOST_S_OWN, AGENT_S_OWN):
        done = copy.run(brought)
        assert done.returncode == 0, done.stderr
    before = red(verify_inventory(copy.inventory))
    assert {"known-sudo", "known-ssh", "known-services", "known-schedules", "known-accounts", "known-network"} < set(
        before
    )
    doctor = copy.ops("doctor", "--json")
    assert doctor.returncode == 0, f"a delivered machine is not refused for an agent: {doctor.stderr}"
    rows = json.loads(doctor.stdout)["additions"]
    named = {
        (kind, value) for row in rows for kind, value in row.items() if kind not in ("machine", "purpose", "owner")
    }
    assert named == BROUGHT
    declare(copy.inventory, rows)
    assert red(verify_inventory(copy.inventory)) == {}
    assert json.loads(copy.ops("doctor", "--json").stdout)["additions"] == []
