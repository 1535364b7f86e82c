"""Each cause that a host check can see, on invented facts: its value is named, the right party acts, the step cures."""

from __future__ import annotations

import base64
import datetime as dt
import importlib.util
import json
import sys
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from material.host_checks import everything_said

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.report.document.check_words import wording
from filae_ops.verification.check import Broken, Facts, NotRun, Target
from filae_ops.verification.placed_by_roles import Placement

NOW = 1_795_000_000.0
DAY = 86400
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt"
LATER = "20270630"
NAME = "filae.chv.example"


@dataclass(frozen=True)
class Cause:
    """What is wrong on a machine, and what `verify` has to say of it."""

    check: str
    code: str
    owner: str
    shown: tuple[str, ...]
    """Texts of the message and of the next step."""
    facts: dict[str, Any] = field(default_factory=dict)
    outside: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    """Of the demonstration's inventory, by section."""
    key_file: Any = None
    """What testinfra says of a file."""
    enabled: bool = True
    """What testinfra says of a service."""
    flow: str = ""


@cache
def inventory() -> Inventory:
    return load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())


PROVISION = "filae-ops provision puts it right"
RELOAD = "systemctl reload nginx"
BY_HAND = "where provisioning leaves them"


def sshd(lines: dict[str, str], files: dict[str, dict[str, str]]) -> dict[str, Any]:
    ours = {
        "permitrootlogin": "no", "allowtcpforwarding": "no", "passwordauthentication": "no",
        "allowgroups": "filae-operators filae-dsi",
    }  # fmt: skip
    written = {"/etc/ssh/sshd_config": {"include": "/etc/ssh/sshd_config.d/*.conf"}}
    written |= {"/etc/ssh/sshd_config.d/00-filae.conf": ours} | files
    good = {
        "permitrootlogin": "no", "passwordauthentication": "no", "kbdinteractiveauthentication": "no",
        "hostbasedauthentication": "no", "permitemptypasswords": "no", "pubkeyauthentication": "yes",
        "authenticationmethods": "publickey", "authorizedkeysfile": "/etc/ssh/authorized_keys.d/%u",
        "strictmodes": "yes", "permituserenvironment": "no", "allowtcpforwarding": "no",
        "allowstreamlocalforwarding": "no", "allowagentforwarding": "no", "x11forwarding": "no",
        "permittunnel": "no", "gatewayports": "no", "allowgroups": "filae-operators filae-dsi",
    }  # fmt: skip
    return {"sshd": {name: [value] for name, value in (good | lines).items()}, "written": {"sshd": written}}


ZERO = "/etc/ssh/sshd_config.d/0-open.conf"
OURS_CHANGED = {"/etc/ssh/sshd_config.d/00-filae.conf": {}}
NO_INCLUDE = {"/etc/ssh/sshd_config": {"port": "22"}}


def settings_of_sshd(check: str, name: str, value: str) -> list[Cause]:
    shown = f"{name} {value}"
    return [
        Cause(check, "sshd_changed", "provider", (shown, PROVISION), sshd({name: value}, OURS_CHANGED)),
        Cause(check, "sshd_overridden", "provider", (shown, ZERO, BY_HAND, "reload ssh"),
              sshd({name: value}, {ZERO: {name: value}})),
        Cause(check, "sshd_left_out", "provider", (shown, "Include /etc/ssh/sshd_config.d/*.conf"),
              sshd({name: value}, NO_INCLUDE)),
    ]  # fmt: skip


def people(**changes: Any) -> dict[str, Any]:
    """Return the demonstration's accounts; each change is of one account, None takes it away."""
    usual = {"uid": 1000, "password": False, "locked": False, "group": "x"}
    accounts = dict.fromkeys(("amartin", "bnguyen", "cdiallo"), usual) | {"root": usual | {"uid": 0}}
    groups = {name: [] for name in ("sudo", "docker", "lxd", "disk", "shadow")}
    groups |= {"filae-operators": ["amartin", "bnguyen"], "filae-dsi": ["cdiallo"]} | changes.pop("groups", {})
    for name, change in changes.items():
        accounts[name] = usual | (change or {})
        if change is None:
            del accounts[name]
    return {"accounts": {"accounts": accounts, "groups": groups}}


def keys(**changes: Any) -> dict[str, Any]:
    found = {
        person.name: [{"key": " ".join(key.key.split()[:2]), "until": f"{key.until:%Y%m%d}"} for key in person.keys]
        for person in [*inventory().access.operators, *inventory().access.dsi]
    }
    return {"keys": found | changes} | system()


def system(**more: Any) -> dict[str, Any]:
    usual = {"now": NOW, "installed": NOW - 90 * DAY, "id": "debian", "version": "13", "timezone": "Europe/Paris"}
    return {"system": usual | {"reboot_required": False, "reboot_for": [], "unfinished": []} | more}


def revoked(name: str) -> dict[str, Any]:
    everybody = inventory().access.model_dump(mode="json")
    for each in everybody["operators"]:
        each["state"] = "absent" if each["name"] == name else "present"
    return {"access": everybody}


def ended(name: str) -> dict[str, Any]:
    everybody = inventory().access.model_dump(mode="json")
    for each in everybody["operators"]:
        each["keys"] = [key | ({"until": "2026-01-31"} if each["name"] == name else {}) for key in each["keys"]]
    return {"access": everybody}


def sudoers(who: str, path: str) -> dict[str, Any]:
    return {"sudoers": [{"who": who, "file": path}]} | people()


OLD = {"key": KEY, "until": "20260131"}
STRANGER = "/etc/ssh/authorized_keys.d/filae"
ACCESS = [
    *settings_of_sshd("ssh-root", "permitrootlogin", "yes"),
    *settings_of_sshd("ssh-keys-only", "passwordauthentication", "yes"),
    *settings_of_sshd("ssh-forwarding", "allowtcpforwarding", "yes"),
    *settings_of_sshd("ssh-groups", "allowgroups", "filae-operators filae-dsi mallory"),
    Cause("access-accounts", "absent", "provider", ("amartin is absent", PROVISION), people(amartin=None)),
    Cause("access-accounts", "locked", "provider", ("amartin is locked", PROVISION), people(amartin={"locked": True})),
    Cause("access-accounts", "open", "provider", ("amartin", PROVISION), people(), changes=revoked("amartin")),
    Cause("access-accounts", "in_groups", "provider", ("mallory", PROVISION),
          people(mallory={}, groups={"filae-dsi": ["cdiallo", "mallory"]})),
    Cause("access-accounts", "born_in_groups", "provider", ("mallory", "usermod --gid"),
          people(mallory={"group": "filae-dsi"}, groups={"filae-dsi": ["cdiallo", "mallory"]})),
    Cause("access-keys", "strangers", "provider", (STRANGER, BY_HAND), keys(filae=[OLD])),
    Cause("access-keys", "revoked", "provider", ("amartin", PROVISION), keys(), changes=revoked("amartin")),
    Cause("access-keys", "extra", "provider", ("amartin", PROVISION),
          keys(amartin=[{"key": KEY, "until": "20991231"}])),
    Cause("access-keys", "missing", "provider", ("cdiallo", PROVISION), keys(cdiallo=[])),
    Cause("access-expired", "declared", "provider", ("amartin", "access.yml, then filae-ops provision"), keys(),
          changes=ended("amartin")),
    Cause("access-expired", "left", "provider", ("amartin", PROVISION), keys(amartin=[OLD])),
    Cause("access-sudo", "other_files", "provider", ("mallory (/etc/sudoers.d/mallory)", "visudo -f FILE", BY_HAND),
          sudoers("mallory", "/etc/sudoers.d/mallory")),
    Cause("access-sudo", "our_files", "provider", ("mallory (/etc/sudoers.d/filae-dsi)", PROVISION),
          sudoers("mallory", "/etc/sudoers.d/filae-dsi")),
    Cause("access-sudo", "groups", "provider", ("mallory (docker)", "gpasswd --delete"),
          {"sudoers": []} | people(groups={"docker": ["mallory"]})),
    Cause("access-root", "number_0", "provider", ("toor", "remove them"), people(toor={"uid": 0})),
    Cause("access-root", "password", "provider", ("bnguyen", "passwd --lock"), people(bnguyen={"password": True})),
]  # fmt: skip


def agent(**status: Any) -> dict[str, Any]:
    return {"agent": {"status": {"version": "2.0.0", "colour": "blue", **status}, "sha256": "0" * 64}}


def proof(name: str, message: str) -> dict[str, Any]:
    return agent() | {"observed": {"checks": {name: {"status": "fail", "message": message}}}}


APPLICATION = [
    Cause("app-health", "failed", "provider", ("status 503", "filaectl status"), proof("health", "status 503")),
    Cause("app-version", "failed", "provider", ("1.0", "filaectl status"), proof("version", "1.0 answers")),
    Cause("app-page", "failed", "provider", ("is not", "maintenance off"), proof("page", "it is not the page")),
    Cause("app-probe", "failed", "provider", ("status 1", "filaectl observe"), proof("probe", "status 1")),
    Cause("app-schema", "failed", "provider", ("schema 3", "filae-ops deploy"), proof("schema", "schema 3")),
    Cause("app-store", "failed", "provider", ("EACCES", "/srv/filae/files"), proof("store", "EACCES")),
    Cause("app-attachments", "failed", "provider", ("1 of 2", "last backup"), proof("files_check", "1 of 2")),
    Cause("app-transaction", "open", "provider", ("deploy 2.0.0", "filaectl recover --retry"),
          agent(last_transaction={"outcome": "open", "kind": "deploy", "version": "2.0.0"})),
    Cause("app-transaction", "gave_up", "provider", ("deploy 2.0.0", "filaectl recover --retry"),
          agent(last_transaction={"outcome": "gave-up", "kind": "deploy", "version": "2.0.0"})),
]  # fmt: skip


def socket(port: int, program: str = "nginx", address: str = "0.0.0.0", proto: str = "tcp") -> dict[str, Any]:
    return {"sockets": [{"proto": proto, "address": address, "port": port, "program": program}]}


def database(roles: dict[str, Any] | None = None, hba: Any = None, **settings: str) -> dict[str, Any]:
    usual = {"listen_addresses": "", "fsync": "on", "full_page_writes": "on"}
    role = {"super": False, "create": False, "password": False, "settings": []}
    found = {name: role | change for name, change in (roles or {}).items()}
    return {"database": {"settings": usual | settings, "roles": found, "hba": hba or [], "pending_restart": []}}


def rule(**change: Any) -> list[dict[str, Any]]:
    return [{"type": "local", "user": ["filae"], "method": "peer", "error": None} | change]


WHERE = ("sourcefile", "remove it there")
DATABASE = [
    Cause("db-local", "listens", "provider", ("0.0.0.0:5432", *WHERE), socket(5432, "postgres") | database()),
    Cause("db-local", "will_listen", "provider", ("listen_addresses is *", *WHERE),
          {"sockets": []} | database(listen_addresses="*")),
    Cause("db-applied", "restart_due", "provider", ("shared_buffers", "systemctl restart postgresql@17-main"),
          {"database": {"pending_restart": ["shared_buffers"], "settings": {}}}),
    Cause("db-applied", "unsafe", "provider", ("fsync", *WHERE), database(fsync="off")),
]  # fmt: skip


def receipt(kind: str, hours: int | None) -> dict[str, Any]:
    at = dt.datetime.fromtimestamp(NOW - (hours or 0) * 3600, dt.UTC).isoformat()
    return {"receipts": {kind: {"at": at}} if hours else {}} | system()


def mount(**change: Any) -> dict[str, Any]:
    usual = {"point": "/srv", "read_only": False, "errors": 0, "total": 100 * 2**30, "free": 50 * 2**30}
    return {"disks": {"mounts": [usual | {"inodes": 100, "inodes_free": 50} | change]}}


def preflight(**lines: Any) -> dict[str, Any]:
    """Return lines of the preflight; one with values is no go."""
    usual = {"status": "go", "values": {}}
    found = {"apt-mirror": usual, "apt-other": usual, "time-source": usual}
    found |= {name.replace("_", "-"): {"status": "no-go", "values": values} for name, values in lines.items()}
    return {"preflight": {"lines": found}}


def unit(name: str, **state: str) -> dict[str, Any]:
    usual = {"Id": name, "LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    return {"units": {"units": {name: usual | state}, "own": [], "failed": []}}


def flow_from_here(state: str) -> dict[str, Any]:
    return {"from": "192.0.2.130", "ports": {"22": state}}


QEMU = "qemu-guest-agent.service"
SAME_RULES = {"firewall": {"live": "a", "wanted": "a", "boot": "a"}}
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


def about(path: str, **change: str) -> dict[str, Any]:
    usual = {"mode": "0600", "user": "root", "group": "root"}
    return {"files": {"files": {path: usual | change}, "secret": [path], "loose": []}}


def key_file(**change: Any) -> Any:
    return SimpleNamespace(**({"exists": True, "is_symlink": False, "group": "root", "linked_to": ""} | change))


SECRET = "/etc/filae/secrets/smtp"
LEAKS = {"secrets": 1, "logs": [], "processes": [], "unread": []}
FILES = [
    Cause("files-secret", "readable", "provider", (f"{SECRET} (0644 root)", "chmod 600", "lost"),
          about(SECRET, mode="0644")),
    Cause("files-key", "absent", "provider", ("key.pem is absent", "filae-ops provision"),
          key_file=key_file(exists=False)),
    Cause("files-key", "link", "provider", ("link to /root/x", "remove the link, then filae-ops provision"),
          key_file=key_file(is_symlink=True, linked_to="/root/x")),
    Cause("files-key", "group", "provider", ("group ssl", "chown root:root"), key_file=key_file(group="ssl")),
    Cause("secrets-journal", "written", "provider", ("smtp in the journal", "change the secret"),
          {"leaks": LEAKS | {"logs": ["smtp in the journal"]}}),
    Cause("secrets-processes", "shown", "provider", ("process 7", "stop the process"),
          {"leaks": LEAKS | {"processes": ["smtp in the command line of process 7"]}}),
    Cause("secrets-files", "held", "provider", ("/etc/nginx/x", "remove them there"),
          {"leaks": LEAKS, "exposed": ["smtp in /etc/nginx/x"]}),
]  # fmt: skip
OPEN = {"from": "192.0.2.130", "ports": {"8080": "open"}}
POLICIES = "policy drop;\n" * 3
NETWORK = [
    Cause("net-listening", "undeclared", "provider", ("python3 0.0.0.0:8080/tcp", "flows.yml"),
          socket(8080, "python3")),
    Cause("net-closed", "open", "provider", ("192.0.2.130", "TCP 8080", "stop what listens"), socket(8080), OPEN),
    Cause("net-closed", "open_before", "dsi", ("192.0.2.130", "TCP 8080", "device before"), {"sockets": []}, OPEN),
    Cause("firewall-rules", "none", "provider", (PROVISION,), {"firewall": {"live": "", "wanted": POLICIES}}),
    Cause("firewall-rules", "different", "provider", ("+tcp dport 8080 accept", PROVISION),
          {"firewall": {"live": f"{POLICIES}tcp dport 8080 accept", "wanted": POLICIES}}),
    Cause("firewall-boot", "different", "provider", ("+tcp dport 8080 accept", PROVISION),
          {"firewall": {"boot": "tcp dport 8080 accept", "wanted": ""}}),
    Cause("firewall-boot", "service_off", "provider", ("filae-firewall.service", PROVISION), SAME_RULES, enabled=False),
]  # fmt: skip


def service(check: str, name: str, more: dict[str, Any] | None = None) -> list[Cause]:
    """Return the ways in which a service that provisioning starts does not run."""

    def facts(**state: str) -> dict[str, Any]:
        return (more or {}) | unit(name, **state)

    return [
        Cause(check, "service_absent", "provider", (name, PROVISION), facts(LoadState="not-found")),
        Cause(check, "service_masked", "provider", (name, f"systemctl unmask {name}"),
              facts(LoadState="masked", ActiveState="inactive")),
        Cause(check, "service_failed", "provider", (name, "journalctl", "filae-ops provision"),
              facts(ActiveState="failed")),
        Cause(check, "service_stopped", "provider", (name, PROVISION), facts(ActiveState="inactive")),
    ]  # fmt: skip


def not_at_start(check: str, name: str) -> Cause:
    return Cause(check, "service_off", "provider", (name, PROVISION), unit(name, UnitFileState="disabled"))


def running(name: str, **state: str) -> dict[str, Any]:
    names = ("filae.target", "filae-web@blue.socket", "filae-web@blue.service")
    usual = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    units = {each: usual | (state if each == name else {}) for each in names}
    return agent() | {"units": {"units": units, "own": [], "failed": []}}


CLUSTER = unit("postgresql@17-main.service")["units"]["units"]
POSTGRESQL_OFF = unit("postgresql.service", UnitFileState="disabled")
POSTGRESQL_OFF["units"]["units"] |= CLUSTER
WEB = "filae-web@blue.service"


def isolation(**changes: Any) -> dict[str, Any]:
    """Return an application that runs, held as it should be but for what is changed."""
    held = {
        "PrivatePIDs": "yes", "LogNamespace": "filae", "Slice": "filae.slice", "TasksMax": "1024",
        "LimitNOFILE": "16384", "LimitCORE": "0", "MemoryMax": "1000",
    }  # fmt: skip
    settings = {name: changes.pop(name) for name in list(changes) if name in held}
    name = "filae-web@blue.service"
    spaces = {name: "pid:[2]", "": "pid:[1]"}
    about = {"units": {name: held | settings}, "namespaces": spaces, "sockets": {}, "strays": []}
    return agent() | {"isolation": about | changes}


def own_journal(storage: str, *, persistent: bool = False) -> dict[str, Any]:
    return agent() | {"journal": {"application": {"settings": {"Storage": storage}, "persistent": persistent}}}


SERVICES = [
    *service("service-nginx", "nginx.service"),
    not_at_start("service-nginx", "nginx.service"),
    *service("service-postgresql", "postgresql@17-main.service"),
    Cause("service-postgresql", "service_off", "provider", ("postgresql.service", PROVISION), POSTGRESQL_OFF),
    *service("service-clock", "chrony.service"),
    not_at_start("service-clock", "chrony.service"),
    Cause("service-ssh", "stopped", "provider", ("inactive", "sshd -t"), unit("ssh.service", ActiveState="inactive")),
    Cause("service-ssh", "not_at_start", "provider", ("systemctl enable ssh",),
          unit("ssh.service", UnitFileState="disabled")),
    Cause("service-failed", "failed", "provider", ("falcon.service", "systemctl status falcon.service"),
          {"units": {"failed": ["falcon.service"]}}),
    *service("app-units", "filae.target", agent()),
    Cause("app-units", "stopped", "provider", (WEB, "inactive", f"systemctl start {WEB}"),
          running(WEB, ActiveState="inactive")),
    Cause("app-units", "not_at_start", "provider", (WEB, f"systemctl enable {WEB}"),
          running(WEB, UnitFileState="disabled")),
    Cause("app-sandbox", "exposed", "provider", (f"{WEB} (4.5)", f"systemctl cat {WEB}", "remove those"),
          {"sandbox": {WEB: 4.5}}),
    Cause("app-writes", "open", "provider", (WEB, "/etc/systemd", f"systemctl cat {WEB}"),
          agent() | {"writes": {WEB: {"/etc/systemd": "written"}}}),
    Cause("app-isolation", "not_held", "provider", ("filae-web@blue.service", "PrivatePIDs=no", "systemctl cat"),
          isolation(PrivatePIDs="no")),
    Cause("app-isolation", "shares_processes", "provider", ("filae-web@blue.service", "systemctl cat"),
          isolation(namespaces={"filae-web@blue.service": "pid:[1]", "": "pid:[1]"})),
    Cause("app-isolation", "another_door", "provider", ("/run/filae/web-blue.sock (0777 filae:filae", "restart"),
          isolation(sockets={"/run/filae/web-blue.sock": {"mode": "0777", "user": "filae", "group": "filae"}})),
    Cause("app-isolation", "strays", "provider", ("sh (77)", "systemctl status PID"), isolation(strays=["sh (77)"])),
    Cause("agent-recovery", "service_off", "provider", ("filae-recover.service", PROVISION), enabled=False),
    Cause("agent-version", "different", "provider", ("0000000000000000", "1111111111111111", "filae-ops provision"),
          agent()),
]  # fmt: skip


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


@cache
def certificate(name: str = NAME, days: int = 300) -> x509.Certificate:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(end - dt.timedelta(days=800)).not_valid_after(end)
    return made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False).sign(key, hashes.SHA256())


def der(which: x509.Certificate) -> bytes:
    return which.public_bytes(serialization.Encoding.DER)


def pem(which: x509.Certificate) -> str:
    return which.public_bytes(serialization.Encoding.PEM).decode()


def door(which: x509.Certificate | None = None, **answers: Any) -> dict[str, Any]:
    """Return the front door as it is seen, in order but for these answers."""
    found = which or certificate()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der(found))
    headers = {
        "strict-transport-security": "max-age=31536000", "x-content-type-options": "nosniff",
        "x-frame-options": "DENY", "referrer-policy": "same-origin",
    }  # fmt: skip
    session = {
        "certificate": base64.b64encode(der(found)).decode(), "sha256": digest.finalize().hex(),
        "ticket_seconds": 0, "headers": headers,
    }  # fmt: skip
    usual = {"tls1.0": None, "tls1.1": None, "tls1.2": session, "tls1.3": session, "weak": None, "weak_groups": None}
    usual |= {"compressed": None, "trust": "", "hidden": {}, "plain": {"status": 301, "headers": {}}}
    for name, value in answers.items():
        spelt = name.replace("_0", ".0").replace("_2", ".2").replace("_3", ".3")
        usual[spelt] = usual[spelt] | value if spelt in ("tls1.2", "tls1.3") and "error" not in value else value
    return {
        name: value if isinstance(value, dict) and "error" in value else {"value": value}
        for name, value in usual.items()
    }


def seen(**answers: Any) -> dict[str, Any]:
    return {"web": {"value": door(**answers)}}


def headers(**change: str | None) -> dict[str, Any]:
    sent = {
        "strict-transport-security": "max-age=31536000", "x-content-type-options": "nosniff",
        "x-frame-options": "DENY", "referrer-policy": "same-origin",
    } | {name.replace("_", "-"): value for name, value in change.items()}  # fmt: skip
    return seen(tls1_2={"headers": {name: value for name, value in sent.items() if value is not None}})


INSTALLED = {"certificate": {"chain": pem(certificate())}}
PROVIDED = {
    "tls": {"mode": "provided", "certificate": "tls/cert.pem", "chain": "tls/chain.pem", "root": "tls/root.pem"}
}
ENDING, STRANGE = certificate(days=9), certificate("other.example")


def offered(which: x509.Certificate, **answers: Any) -> dict[str, Any]:
    return {"web": {"value": door(which, **answers)}}


FRONT = [
    Cause("tls-versions", "accepted", "provider", ("TLS 1.0", RELOAD), outside=seen(tls1_0={"suite": 5})),
    Cause("tls-versions", "not_served", "provider", ("TLS 1.3", "refused", RELOAD),
          outside=seen(tls1_3={"error": "refused"})),
    Cause("tls-suites", "accepted", "provider", ("0x0005", RELOAD), outside=seen(weak={"suite": 5})),
    Cause("tls-curves", "accepted", "provider", ("0x0005", RELOAD), outside=seen(weak_groups={"suite": 5})),
    Cause("tls-certificate", "ends", "dsi", ("days left: 8", "issue a new certificate"), outside=offered(ENDING),
          changes=PROVIDED),
    Cause("tls-certificate", "ends_here", "provider", ("days left: 8", "filae-ops provision"), outside=offered(ENDING)),
    Cause("tls-certificate", "unsound", "dsi", (f"subjectAltName ≠ {NAME}", "issue a new"), outside=offered(STRANGE),
          changes=PROVIDED),
    Cause("tls-certificate", "unsound_here", "provider", (f"subjectAltName ≠ {NAME}", "filae-ops provision"),
          outside=offered(STRANGE)),
    Cause("tls-chain", "distrusted", "provider", ("self-signed", "tls.chain"),
          outside=offered(ENDING, trust="self-signed"), changes=PROVIDED),
    Cause("tls-chain", "distrusted_here", "provider", ("self-signed", RELOAD), outside=seen(trust="self-signed")),
    Cause("tls-installed", "another", "provider", ("not the installed one", RELOAD),
          INSTALLED | {"served": door(STRANGE)}, offered(STRANGE)),
    Cause("tls-installed", "replaced_before", "dsi", ("reaches people", "decrypts"), INSTALLED | {"served": door()},
          offered(STRANGE)),
    Cause("tls-installed", "not_the_inventory_s", "provider", ("not the inventory's", RELOAD),
          INSTALLED | {"served": door()}, seen(), PROVIDED | {"another": True}),
    Cause("tls-options", "compression", "provider", ("CRIME", RELOAD), outside=seen(compressed={"compression": 1})),
    Cause("tls-options", "long_tickets", "provider", ("48 h", RELOAD),
          outside=seen(tls1_2={"ticket_seconds": 2 * DAY})),
    Cause("web-hsts", "short", "provider", ("max-age=60", RELOAD),
          outside=headers(strict_transport_security="max-age=60")),
    Cause("web-redirect", "elsewhere", "provider", ("200", RELOAD), outside=seen(plain={"status": 200, "headers": {}})),
    Cause("web-headers", "missing", "provider", ("x-content-type-options", RELOAD),
          outside=headers(x_content_type_options=None)),
    Cause("web-headers", "weak", "provider", ("x-frame-options: ALLOWALL", "correct the application"),
          outside=headers(x_frame_options="ALLOWALL")),
    Cause("web-headers", "version", "provider", ("nginx/1.26", RELOAD), outside=headers(server="nginx/1.26")),
    Cause("web-hidden", "served", "provider", ("/.env (200)", RELOAD), outside=seen(hidden={"/.env": 200})),
]  # fmt: skip
CAUSES = [*ACCESS, *APPLICATION, *DATABASE, *DSI, *FILES, *NETWORK, *SERVICES, *SYSTEM, *FRONT]


@cache
def checks() -> dict[str, Any]:
    """Return the host checks by their ids, loaded without pytest's run of them."""
    found = {}
    for path in data_path("tests", "host").glob("test_*.py"):
        spec = importlib.util.spec_from_file_location(f"host_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in vars(module).items():
            if name.startswith("test_"):
                (mark,) = function.pytestmark
                found[mark.kwargs["id"]] = function
    return found


PLACED = {"/usr/local/sbin/filaectl": Placement("file", "root", "root", "0755", "1" * 64, None, "agent")}


def target(cause: Cause, directory: Any) -> Target:
    content = inventory().model_dump(mode="json", by_alias=True)
    content |= {name: value for name, value in cause.changes.items() if name in content}
    content["directory"] = str(directory)
    for machine in content["hosts"].values():
        machine["machine"] |= {"hypervisor": "kvm", "guest_tools": True}
    if "tls" in cause.changes:
        (directory / "tls").mkdir()
        offer = cause.outside["web"]["value"]["tls1.2"]["value"]["certificate"]
        own = certificate("declared.example") if "another" in cause.changes else x509.load_der_x509_certificate(
            base64.b64decode(offer)
        )  # fmt: skip
        (directory / "tls/cert.pem").write_text(pem(own))
    made = Inventory.model_validate_json(json.dumps(content))
    facts = Facts({name: {"value": value} for name, value in cause.facts.items()})
    on = Target(made, next(iter(made.hosts.values())), facts, cause.outside, PLACED)
    service = SimpleNamespace(is_enabled=cause.enabled)
    on.__dict__["host"] = SimpleNamespace(file=lambda _: cause.key_file, service=lambda _: service)
    return on


def outcome(check: str, *given: Any) -> Broken | NotRun | None:
    """Return what came of a check; a skip must not be taken for this test's own."""
    try:
        checks()[check](*given)
    except (Broken, NotRun) as error:
        return error
    return None


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.check}-{cause.code}")
def test_a_cause_is_told_with_its_value_and_who_cures_it_how(cause: Cause, tmp_path: Any) -> None:
    on = target(cause, tmp_path)
    flows = [flow for flow in on.inventory.flows if flow.id == cause.flow]
    told = outcome(cause.check, on, *flows)
    assert isinstance(told, Broken), told
    assert told.code == cause.code
    assert json.loads(json.dumps(told.values)) == told.values
    assert {wording(cause.check, told.code, told.values, lang).owner for lang in ("en", "fr")} == {cause.owner}
    said = wording(cause.check, told.code, told.values, "en")
    assert [text for text in cause.shown if text not in f"{said.message}\n{said.next}"] == [], said


def test_each_cause_that_a_check_can_tell_is_tried() -> None:
    """Those of PostgreSQL and of what is accounted for are tried beside this file."""
    tried = {(cause.check, cause.code) for cause in CAUSES}
    told = {
        (said.check, said.code)
        for said in everything_said()
        if said.how == "broken" and not said.place.startswith(("test_accounted.py:", "test_database.py:"))
    }
    assert told - tried == set()


@pytest.mark.parametrize(
    ("check", "facts"),
    [
        ("access-expired", keys(filae=[OLD])),
        ("access-keys", keys()),
        ("access-accounts", people()),
        ("ssh-root", sshd({}, {})),
        ("apt-mirror", preflight()),
    ],
)
def test_what_is_another_check_s_matter_is_not_told_twice(check: str, facts: dict[str, Any], tmp_path: Any) -> None:
    assert outcome(check, target(Cause(check, "", "", (), facts), tmp_path)) is None
