"""A disk of texts, some of them of packages."""

from __future__ import annotations

import types

import pytest

from filae_ops.facts import cluster_files, derived_files, derived_links, network_files, package_files, pam_profiles

UNIX = """Name: Unix authentication
Default: yes
Priority: 256
Auth-Type: Primary
Auth:
\t[success=end default=ignore]\tpam_unix.so nullok try_first_pass
Auth-Initial:
\t[success=end default=ignore]\tpam_unix.so nullok
Session-Type: Additional
Session:
\trequired\tpam_unix.so
"""
SYSTEMD = """Name: systemd
Default: yes
Priority: 0
Session-Interactive-Only: yes
Session-Type: Additional
Session:
\toptional\tpam_systemd.so
"""
HOME = "Name: home\nDefault: no\nPriority: 0\nSession-Type: Additional\nSession:\n\toptional\tpam_mkhomedir.so\n"
DENY = "auth requisite pam_deny.so\nauth required pam_permit.so\n"
FILES = {
    "/usr/share/pam/common-auth": f"$auth_primary\n{DENY}$auth_additional\n",
    "/usr/share/pam/common-session": "$session_primary\nsession requisite pam_deny.so\n$session_additional\n",
    "/usr/share/pam/common-session-noninteractive": "$session_primary\n$session_additional\n",
    "/usr/share/pam-configs/unix": UNIX,
    "/usr/share/pam-configs/systemd": SYSTEMD,
    "/usr/share/pam-configs/mkhomedir": HOME,
    "/usr/share/base-files/profile": "umask 022\n",
    "/usr/lib/systemd/system/known.service": "[Install]\nWantedBy=multi-user.target\nAlias=other.service\n",
    "/usr/lib/systemd/system/debug-shell.service": "[Install]\nWantedBy=sysinit.target\n",
    "/usr/lib/systemd/system-preset/90-systemd.preset": "enable known.service\ndisable debug-shell.service\n",
    "/var/lib/dpkg/alternatives/editor": "auto\n/usr/bin/editor\n\n/bin/nano\n40\n",
    "/usr/lib/os-release": "VERSION_CODENAME=trixie\n",
    "/usr/local/share/ca-certificates/hospital.crt": "-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n",
    "/var/lib/dpkg/info/nano.postinst": "update-alternatives --install /usr/bin/editor editor /bin/nano 40\n",
    "/var/lib/dpkg/alternatives/mallory": "auto\n/usr/sbin/ls\n\n/bin/nano\n40\n",
    "/usr/share/ca-certificates/good.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
}
PACKAGED = {
    *(path for path in FILES if "/local/" not in path), "/bin/nano", "/usr/bin/nano", "/etc/init.d/ssh",
    "/usr/bin/bash", "/bin/bash", "/usr/lib/python3/x.py",
}  # fmt: skip


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A disk of texts by path, of which FILES are packages'."""
    texts = dict(FILES)
    for module in (derived_files, derived_links, pam_profiles, cluster_files, network_files):
        monkeypatch.setattr(module, "read", lambda path: texts.get(path, ""))
    monkeypatch.setattr(derived_files, "_bytes", lambda path: texts.get(path, "\0").encode())
    for module in (package_files, derived_links):
        monkeypatch.setattr(module, "packaged", lambda path: bool({path, package_files.merged(path)} & PACKAGED))

    def matching(pattern: str, *, recursive: bool = False) -> list[str]:
        head = pattern.partition("*")[0]
        return [path for path in texts if path.startswith(head)]

    monkeypatch.setattr(derived_files.glob, "glob", matching)
    monkeypatch.setattr(derived_links.os.path, "lexists", lambda path: path in texts)
    texts["/etc/hostname"] = "site\n"
    monkeypatch.setattr(network_files, "_own_addresses", lambda: frozenset({"10.0.0.5"}))
    monkeypatch.setattr(package_files, "script", lambda package, name: texts.get(f"/info/{package}.{name}", ""))
    accounts = [types.SimpleNamespace(pw_name=name, pw_uid=uid) for name, uid in (("filae", 993), ("camille", 1001))]
    monkeypatch.setattr(derived_files.pwd, "getpwall", lambda: accounts)
    for cached in (derived_links._alternatives, derived_links._presets, derived_files.ucf):
        cached.cache_clear()
    return texts
