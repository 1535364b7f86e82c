"""What the hospital's own services fail to give: backups, hardware, disks, names, time, mirrors, flows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from material.causes.cause import DAY, NAME, NOW, PROVISION, SAME_RULES, Cause, preflight, socket, system, unit


def receipt(kind: str, hours: int | None) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(NOW - (hours or 0) * 3600, dt.UTC).isoformat()
    return {"receipts": {kind: {"at": at}} if hours else {}} | system()


def mount(**change: Any) -> dict[str, Any]:
    usual = {"point": "/srv", "read_only": False, "errors": 0, "total": 100 * 2**30, "free": 50 * 2**30}
    return {"disks": {"mounts": [usual | {"inodes": 100, "inodes_free": 50} | change]}}


def flow_from_here(state: str) -> dict[str, Any]:
    return {"from": "192.0.2.130", "ports": {"22": state}}


QEMU = "qemu-guest-agent.service"
DSI = [
    *(
        cause
        for kind in ("backup", "snapshot")
        for cause in (
            Cause(f"{kind}-receipt", "late", "dsi", ("72 h old", f"--kind {kind}"), receipt(kind, 72)),
            Cause(f"{kind}-receipt", "none", "dsi", ("2160 h ago", f"--kind {kind}"), receipt(kind, None)),
        )
    ),
    Cause("machine-stops", "cut", "dsi", ("2026-11-16", "hypervisor"),
          {"boots": {"unclean": [NOW - 2 * DAY], "days": 30}} | system()),
    Cause("disk-writable", "read_only", "dsi", ("/srv", "storage"), mount(read_only=True)),
    Cause("disk-consistent", "errors", "dsi", ("/srv", "storage"), mount(errors=3)),
    Cause("disk-errors", "errors", "dsi", ("disk errors: 2", "I/O error b"),
          {"kernel_log": {"errors": ["I/O error a", "I/O error b"]}}),
    Cause("machine-cpu", "too_few", "dsi", ("processors: 1; declared: 2",), preflight(cpu={"found": 1})),
    Cause("machine-memory", "too_small", "dsi", ("1000 MiB", "at least 3686"),
          preflight(memory={"found": 1000, "least": 3686})),
    Cause("machine-disk", "too_small", "dsi", ("9.5 GiB",), preflight(disk={"found": 9.5})),
    Cause("disk-space", "full", "dsi", ("/srv", "1 of 100 GiB"), mount(free=2**30)),
    Cause("disk-space", "no_inode", "provider", ("/srv", "small files"), mount(inodes_free=1)),
    Cause("guest-tools", "absent", "provider", (QEMU, "apt-get install qemu-guest-agent"),
          unit(QEMU, LoadState="not-found")),
    Cause("guest-tools", "switched_off", "provider", (QEMU, "systemctl enable --now"),
          unit(QEMU, LoadState="masked", ActiveState="inactive", UnitFileState="masked")),
    Cause("guest-tools", "stopped", "dsi", (QEMU, "channel"), unit(QEMU, ActiveState="inactive")),
    Cause("dns-servers", "silent", "dsi", ("192.0.2.53", "UDP 53"), preflight(dns={"silent": ["192.0.2.53"]})),
    Cause("dns-servers", "others", "provider", ("203.0.113.66", "resolv.conf"),
          {"preflight": {"lines": {"dns": {"status": "go"}}}, "resolver_servers": ["203.0.113.66"]}),
    Cause("dns-public-name", "unknown", "dsi", (NAME, "DNS record"), preflight(public_name={})),
    Cause("time-servers", "silent", "dsi", ("192.0.2.54", "UDP 123"), preflight(time_source={})),
    *(
        cause
        for check in ("apt-mirror", "internet-out")
        for cause in (
            Cause(check, "no_mirror", "dsi", ("sources.list",), preflight(apt_mirror={"silent": [], "proxy": ""})),
            Cause(check, "mirror_silent", "dsi", ("http://m/ (timed out)", "open the flow"),
                  preflight(apt_mirror={"silent": ["http://m/ (timed out)"], "proxy": ""})),
            Cause(check, "mirror_silent_through_proxy", "dsi", ("http://p:3128", "http://m/", "proxy"),
                  preflight(apt_mirror={"silent": ["http://m/"], "proxy": "http://p:3128"})),
        )
    ),
    Cause("apt-mirror", "others_silent", "provider", ("http://evil/ (/etc/apt/sources.list.d/evil.list", "remove"),
          preflight(apt_other={"silent": ["http://evil/ (/etc/apt/sources.list.d/evil.list: timed out)"]})),
    Cause("mail-relay", "silent", "dsi", ("192.0.2.25", "25"), preflight(flow_mail_relay={})),
    Cause("flow-in", "filtered", "dsi", ("TCP 22", "192.0.2.130", "end to end"), socket(22) | SAME_RULES,
          flow_from_here("filtered"), flow="ssh"),
    Cause("flow-in", "refused", "dsi", ("TCP 22", "192.0.2.130", "in between"), socket(22) | SAME_RULES,
          flow_from_here("refused"), flow="ssh"),
    Cause("flow-in", "own_firewall", "provider", ("TCP 22", PROVISION),
          socket(22) | {"firewall": {"live": "a", "wanted": "b"}}, flow_from_here("filtered"), flow="ssh"),
    Cause("flow-in", "on_loopback", "provider", ("TCP 22", "filae-ops provision"),
          socket(22, address="127.0.0.1") | SAME_RULES, flow_from_here("refused"), flow="ssh"),
    Cause("flow-out", "silent", "dsi", ("192.0.2.55", "3128"), {"outbound": {"proxy": False}}, flow="proxy"),
]  # fmt: skip
