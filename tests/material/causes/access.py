"""What is wrong with who enters a machine, and with which rights."""

from __future__ import annotations

from typing import Any

from material.causes.cause import BY_HAND, PROVISION, Cause, inventory, system

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBRlaOjEpEB6GtgJQ0bTid9DwaHqeIGMuASlpJitURUt"


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
