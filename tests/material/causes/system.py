"""What is wrong with the system: its support, its updates, its clock and its journals."""

from __future__ import annotations

from typing import Any

from material.causes.cause import DAY, NOW, PROVISION, Cause, agent, preflight, system, unit


def own_journal(storage: str, *, persistent: bool = False) -> dict[str, Any]:
    return agent() | {"journal": {"application": {"settings": {"Storage": storage}, "persistent": persistent}}}


def clock(**change: Any) -> dict[str, Any]:
    usual = {"leap": "Normal", "source": "192.0.2.54", "reference": NOW, "offset": 0.0}
    return {"clock": usual | change} | system()


def updates(**change: Any) -> dict[str, Any]:
    usual = {"lists": NOW, "held": [], "waiting": [], "applied": NOW, "untrusted": []}
    usual |= {"origins": ["origin=Debian,label=Debian-Security"]}
    usual |= {"settings": {f"APT::Periodic::{name}": "1" for name in ("Unattended-Upgrade", "Update-Package-Lists")}}
    timers = unit("apt-daily.timer")["units"]["units"] | unit("apt-daily-upgrade.timer")["units"]["units"]
    return {"updates": usual | change, "units": {"units": timers}} | system()


def written(program: str, path: str, ours: dict[str, str], **others: dict[str, str]) -> dict[str, Any]:
    return {"written": {program: {path: ours, **others}}}


OFF = {"settings": {"APT::Periodic::Unattended-Upgrade": "0", "APT::Periodic::Update-Package-Lists": "1"}}
APT, JOURNALD = "/etc/apt/apt.conf.d/52filae", "/etc/systemd/journald.conf.d/filae.conf"
NO_TIMER = updates()
NO_TIMER["units"]["units"]["apt-daily.timer"]["ActiveState"] = "inactive"
SILENT_TIME = preflight(time_source={})
SYSTEM = [
    Cause("os-supported", "ended", "provider", ("debian 10", "upgrade"), system(version="10")),
    Cause("os-supported", "extended", "provider", ("debian 12", "upgrade"), system(version="12")),
    Cause("os-declared", "different", "provider", ("debian 12", "debian 13", "hosts.yml"), system(version="12")),
    Cause("os-support-ends", "ends", "provider", ("ends on 2", "upgrade"), system(version="12")),
    Cause("postgresql-supported", "ended", "provider", ("postgresql 13", "PostgreSQL"),
          system() | {"versions": {"postgresql-13": "13.1"}}),
    Cause("ruby-supported", "ended", "provider", ("ruby 3.1", "filae-ops deploy"),
          system() | {"versions": {"ruby3.1": "3.1"}}),
    Cause("updates-waiting", "old_lists", "provider", ("9 days", "apt-get update"),
          updates(lists=NOW - 9 * DAY) | preflight()),
    Cause("updates-waiting", "old_lists_mirror_silent", "dsi", ("9 days", "open the flow"),
          updates(lists=NOW - 9 * DAY) | preflight(apt_mirror={})),
    Cause("updates-waiting", "held", "provider", ("openssl", "apt-mark unhold"), updates(held=["openssl"])),
    Cause("updates-waiting", "waiting", "provider", ("openssl", "unattended-upgrade -v"),
          updates(waiting=["openssl"], applied=NOW, lists=NOW - DAY)),
    Cause("updates-automatic", "changed", "provider", ("Unattended-Upgrade is 0", PROVISION),
          updates(**OFF) | written("apt", APT, {})),
    Cause("updates-automatic", "overridden", "provider", ("Unattended-Upgrade is 0", "/etc/apt/apt.conf.d/99off"),
          updates(**OFF) | written("apt", APT, {"apt::periodic::unattended-upgrade": "1"},
                                   **{"/etc/apt/apt.conf.d/99off": {"apt::periodic::unattended-upgrade": "0"}})),
    Cause("updates-automatic", "no_origin", "provider", ("apt.conf.d", "filae-ops provision"), updates(origins=[])),
    Cause("updates-automatic", "service_stopped", "provider", ("apt-daily.timer", PROVISION), NO_TIMER),
    Cause("packages-trusted", "untrusted", "provider", ("/etc/apt/sources.list.d/evil.list", "remove"),
          updates(untrusted=["/etc/apt/sources.list.d/evil.list"])),
    Cause("reboot-pending", "due", "provider", ("linux-image", "maintenance window"),
          system(reboot_required=True, reboot_for=["linux-image"])),
    Cause("provision-finished", "unfinished", "provider", ("/etc/nginx/nginx.conf", "to its end"),
          system(unfinished=["/etc/nginx/nginx.conf"])),
    Cause("clock-synchronised", "follows_none", "provider", ("chrony's settings",), clock(source="") | preflight()),
    Cause("clock-synchronised", "servers_silent", "dsi", ("192.0.2.54", "UDP 123"), clock(source="") | SILENT_TIME),
    Cause("clock-synchronised", "stale", "provider", ("9 h ago", "chronyc sources"),
          clock(reference=NOW - 9 * 3600) | preflight()),
    Cause("clock-synchronised", "stale_servers_silent", "dsi", ("9 h ago", "192.0.2.54"),
          clock(reference=NOW - 9 * 3600) | SILENT_TIME),
    Cause("clock-synchronised", "wrong", "provider", ("2.5 s", "chronyc makestep"), clock(offset=-2.5)),
    Cause("clock-zone", "different", "provider", ("Asia/Tokyo", "Europe/Paris", PROVISION),
          system(timezone="Asia/Tokyo")),
    Cause("journal-application", "changed", "provider", ("volatile", PROVISION), own_journal("volatile")),
    Cause("journal-application", "not_written", "provider", ("restart systemd-journald@filae",),
          own_journal("persistent")),
    Cause("journal-application", "unbounded", "provider", ("SystemMaxUse", PROVISION),
          own_journal("persistent", persistent=True)),
    Cause("journal-kept", "changed", "provider", ("volatile", PROVISION),
          {"journal": {"settings": {"Storage": "volatile"}, "persistent": False}} | written("journald", JOURNALD, {})),
    Cause("journal-kept", "overridden", "provider", ("volatile", "/etc/systemd/journald.conf.d/zz.conf"),
          {"journal": {"settings": {"Storage": "volatile"}, "persistent": True}}
          | written("journald", JOURNALD, {"storage": "persistent"},
                    **{"/etc/systemd/journald.conf.d/zz.conf": {"storage": "volatile"}})),
    Cause("journal-kept", "not_written", "provider", ("/var/log/journal", "filae-ops provision"),
          {"journal": {"settings": {"Storage": "persistent"}, "persistent": False}}),
    Cause("journal-kept", "unbounded", "provider", (PROVISION,),
          {"journal": {"settings": {"Storage": "persistent"}, "persistent": True}}),
]  # fmt: skip
