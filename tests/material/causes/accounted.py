"""A machine on which all is accounted for, and what is wrong on others: the check, its message and its step."""

from __future__ import annotations

from typing import Any

from filae_ops.verification.placed_by_roles import Placement

SIGNERS, PROGRAM = "/etc/filae/allowed_signers", "/usr/local/sbin/filaectl"
FILE: dict[str, Any] = {"kind": "file", "mode": "0644", "user": "root", "group": "root", "sha256": "a", "by": ""}
PLACED = {path: Placement("file", "root", "root", "0644", "a", None, "agent") for path in (SIGNERS, PROGRAM)}
DROPIN = {**FILE, "path": "/etc/systemd/system/filae-web@blue.service.d/release.conf"}
NOTHING: dict[str, Any] = {kind: {"count": 0, "first": []} for kind in ("changed", "missing", "added")}
HEALTHY: dict[str, Any] = {
    "decisive": {"rows": [{**FILE, "path": path} for path in (SIGNERS, PROGRAM)] + [DROPIN], "whole": True},
    "placed": {
        "busy": "", "problem": "", "live": {"version": "2.0.0", "colour": "blue"},
        "placed": [{**{k: v for k, v in DROPIN.items() if k != "by"}, "target": None, "optional": False}],
        "releases": [{"version": "2.0.0", "complete": True, "problem": "", **NOTHING}],
    },
    "packages": {"half": [], "diverted": [], "sourceless": [], "rewritten": [], "undigested": [], "copied": False},
    "manager": {
        "environment": ["LANG=fr_FR.UTF-8", "PATH=/usr/sbin:/usr/bin"], "unread": [], "transient": [], "fragments": {},
    },
    "privileges": {"programs": [], "whole": True},
    "tables": ["inet filae"],
    "accounts": {
        "accounts": {"root": {"uid": 0, "shell": "/bin/bash", "password": False, "home": "/root", "group": "root"}},
        "groups": {}, "members": {}, "group_passwords": [],
    },
    "waiting": [], "processes": [], "libraries": [], "fresh": {"nginx": [], "ssh": []},
    "kernel": {"asked": {"net.ipv4.ip_forward": "0"}, "live": {"net.ipv4.ip_forward": "0"}, "own": True},
    "agent": {"status": {"version": "2.0.0"}, "sha256": "a"},
}  # fmt: skip


def changed(part: str, **values: Any) -> dict[str, Any]:
    return {part: {**HEALTHY[part], **values}}


def rows(*more: dict[str, Any]) -> dict[str, Any]:
    every = {row["path"]: row for row in [*HEALTHY["decisive"]["rows"], *({**FILE, **row} for row in more)]}
    return changed("decisive", rows=list(every.values()))


def release(kind: str, path: str) -> dict[str, Any]:
    (tree,) = HEALTHY["placed"]["releases"]
    differs = {kind: {"count": 1, "first": [{"path": path, "problem": kind}]}}
    return changed("placed", releases=[{**tree, **differs}])


AGAIN = "filae-ops deploy the bundle of 2.0.0 again"
DECLARE = "machine.additions"
# What is found, which check turns red, and what its message and next step say.
FAULTS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a-second-signer": (rows({"path": SIGNERS, "sha256": "b"}), "placed-roles", SIGNERS, "filae-ops provision"),
    "a-fragment-of-the-agent": (
        rows({**DROPIN, "sha256": "b"}), "placed-agent", DROPIN["path"], "filaectl refresh",
    ),
    "a-package-program": (
        rows({"path": "/usr/sbin/sshd", "package": "openssh-server"}), "packages-intact", "sshd",
        "--force-confmiss openssh-server",
    ),
    "a-loose-file": (
        rows({"path": "/etc/profile", "by": "a copy", "loose": True}), "files-protected", "/etc/profile", "chmod go-w",
    ),
    "a-half-package": (changed("packages", half=["x (ok half-installed)"]), "packages-whole", "x", "dpkg --configure"),
    "a-package-s-digests": (
        changed("packages", rewritten=[{"path": "/var/lib/dpkg/info/sudo.md5sums", "package": "sudo"}]),
        "packages-intact", "sudo.md5sums", "--force-confmiss sudo",
    ),
    "a-package-without-digests": (
        changed("packages", undigested=["x"]), "packages-intact", "packages without digests", "declared",
    ),
    "a-list-that-is-gone": (
        rows({"path": "/etc/shells", "kind": "missing"}), "known-pam", "/etc/shells (absent)", "put back",
    ),
    "a-folder-above": (
        rows({"path": "/srv", "by": "", "kind": "directory", "loose": True}), "files-protected", "/srv", "chmod go-w",
    ),
    "a-package-of-no-source": (changed("packages", sourceless=["x"]), "packages-known", "x", DECLARE),
    "a-diversion": (changed("packages", diverted=["/bin/ls to /bin/x"]), "known-apt", "/bin/ls to", "dpkg-divert"),
    "a-changed-release": (release("changed", "app.rb"), "release-intact", "app.rb (changed)", AGAIN),
    "an-added-file": (release("added", "x.rb"), "release-intact", "x.rb (added)", AGAIN),
    "an-unreadable-release": (
        changed("placed", releases=[{**HEALTHY["placed"]["releases"][0], "problem": "no manifest"}]), "release-intact",
        "no manifest", "under a higher version",
    ),
    "a-changed-kept-release": (
        changed("placed", releases=[*HEALTHY["placed"]["releases"], {
            **HEALTHY["placed"]["releases"][0], "version": "1.9.0",
            "changed": {"count": 1, "first": [{"path": "app.rb", "problem": "other bytes"}]},
        }]),
        "release-intact", "1.9.0", "rollback refuses",
    ),
    "units-not-read": (changed("manager", unread=["x.service"]), "settings-read", "x.service", "daemon-reload"),
    "nginx-not-reloaded": (changed("fresh", nginx=["/etc/nginx/x"]), "settings-read", "/etc/nginx/x", "reload nginx"),
    "sshd-not-reloaded": (changed("fresh", ssh=["/etc/ssh/x"]), "settings-read", "/etc/ssh/x", "reload ssh"),
    "a-preloaded-library": (
        changed("manager", environment=["LD_PRELOAD=/x"]), "settings-environment", "LD_PRELOAD", "unset-environment",
    ),
    "another-path": (
        changed("manager", environment=["PATH=/tmp:/bin"]), "settings-environment", "PATH=/tmp", "unset-environment",
    ),
    "a-kernel-that-forwards": (
        changed("kernel", asked={}, live={"net.ipv4.ip_forward": "1"}), "settings-kernel", "net.ipv4.ip_forward = 1",
        "sysctl",
    ),
    "a-kernel-that-does-not-obey": (
        changed("kernel", asked={"kernel.x": "1"}, live={"kernel.x": "0"}), "settings-kernel", "written 1", "sysctl",
    ),
    "a-setuid-shell": (
        changed("privileges", programs=[{"path": "/tmp/x", "rights": "4755 root:root", "package": ""}]),
        "known-privileges", "/tmp/x (4755 root:root)", DECLARE,
    ),
    "a-table": ({"tables": ["inet filae", "ip nat"]}, "known-network", "ip nat", DECLARE),
    "a-library": ({"libraries": ["/opt/x.so"]}, "known-programs", "/opt/x.so", "ldconfig"),
    "a-process": (
        {"processes": [{"program": "/tmp/x", "unit": "session-1.scope"}]}, "known-processes", "/tmp/x", DECLARE,
    ),
    "a-socket": (
        {"waiting": [{"socket": "127.0.0.1:1/tcp", "program": "nc", "unit": "session-1.scope"}]}, "known-sockets",
        "nc on 127.0.0.1:1/tcp (session-1.scope)", DECLARE,
    ),
    "a-unit-without-a-file": (changed("manager", transient=["run-u1.service"]), "known-services", "run-u1", DECLARE),
    "a-member": (
        changed("accounts", members={"ssl-cert": ["postgres", "x"]}), "known-accounts", "x (ssl-cert)", "gpasswd",
    ),
    "an-account": (
        changed("accounts", accounts={
            "x": {"uid": 1001, "shell": "/bin/sh", "password": False, "home": "/", "group": "x"},
        }),
        "known-accounts", "x", DECLARE,
    ),
}  # fmt: skip

STRANGERS = {
    "sudo": "/etc/sudoers.d/x", "ssh": "/etc/ssh/sshd_config.d/x.conf", "pam": "/etc/pam.d/x", "web": "/etc/nginx/x",
    "services": "/etc/systemd/system/nginx.service.d/x.conf", "schedules": "/etc/cron.d/x", "apt": "/etc/apt/x",
    "database": "/etc/postgresql/17/main/conf.d/x.conf", "kernel": "/etc/sysctl.d/x.conf", "shells": "/etc/profile.d/x",
    "network": "/etc/hosts", "programs": "/usr/local/bin/x", "settings": "/etc/x",
}  # fmt: skip
FAULTS |= {
    f"a-stranger-in-{theme}": (rows({"path": path}), f"known-{theme}", path, DECLARE)
    for theme, path in STRANGERS.items()
}
