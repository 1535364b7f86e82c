"""What scripts of packages make is told from what anybody else wrote there."""

from __future__ import annotations

import hashlib
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
LDAP = """Name: LDAP
Default: yes
Priority: 128
Auth-Type: Primary
Auth:
\t[success=end default=ignore]\tpam_ldap.so use_first_pass
"""
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


UNITS = "/usr/lib/systemd/system"
LOCAL = "-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n"
AUTOREMOVE = "/etc/apt/apt.conf.d/02autoremove-postgresql"
AUTH = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n"


@pytest.mark.parametrize(
    ("path", "text", "known"),
    [
        ("/etc/pam.d/common-auth", AUTH, True),
        ("/etc/pam.d/common-auth", f"auth sufficient pam_permit.so\n{AUTH}", False),
        ("/etc/pam.d/common-auth", AUTH.replace("auth requisite pam_deny.so\n", ""), False),
        ("/etc/pam.d/common-auth", AUTH.replace("success=1", "success=2"), False),
        ("/etc/profile", "umask 022\n", True),
        ("/etc/profile", "umask 022\n/tmp/x\n", False),
        ("/etc/hosts", "127.0.0.1 localhost\n10.0.0.5 site.hopital.example site\nff02::1 ip6-allnodes\n", True),
        ("/etc/hosts", "127.0.0.1 localhost\n10.0.0.66 deb.debian.org\n", False),
        ("/etc/hosts", "127.0.0.1 localhost mirror.hopital.example\n", False),
        ("/etc/environment", "# nothing\n", True),
        ("/etc/hosts", "127.0.1.1 deb.debian.org\n", False),
        ("/etc/hosts", "# local \\\n203.0.113.66 deb.debian.org\n", False),
        ("/etc/environment", "LD_PRELOAD=/tmp/x.so\n", False),
        ("/etc/environment", "# local \\\nLD_PRELOAD=/tmp/x.so\n", False),
        ("/etc/pam.d/common-auth", f"# local \\\nauth sufficient pam_permit.so\n{AUTH}", False),
        ("/etc/default/keyboard", 'XKBLAYOUT="fr"\nBACKSPACE="guess"\n', True),
        ("/etc/default/keyboard", "PATH=/var/tmp:/usr/bin\n", False),
        ("/etc/default/keyboard", "# local \\\ntouch /root/x\n", False),
        ("/etc/subuid", "camille:100000:65536\n", True),
        ("/etc/subuid", "filae:100000:65536\n", False),
        ("/etc/subgid", "993:100000:65536\n", False),
        ("/etc/resolv.conf", "; made\nsearch hopital.example\nnameserver 10.0.0.53\noptions edns0\n", True),
        ("/etc/resolv.conf", "nameserver 10.0.0.53\nevil x\n", False),
        ("/etc/nologin", "", False),
        ("/etc/shells", "# shells\n/bin/bash\n", True),
        ("/etc/shells", "/bin/bash\n/tmp/shell\n", False),
        ("/etc/ssl/certs/ca-certificates.crt", FILES["/usr/share/ca-certificates/good.crt"], True),
        ("/etc/ssl/certs/ca-certificates.crt", LOCAL, True),
        ("/etc/ssl/certs/ca-certificates.crt", "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n", False),
        (AUTOREMOVE, '// x\nAPT\n{\n  NeverAutoRemove\n  {\n    "^postgresql.*-17";\n  };\n};\n', True),
        (AUTOREMOVE, 'APT { NeverAutoRemove { "x"; }; };\nDPkg::Pre-Invoke { "/tmp/x"; };\n', False),
        ("/etc/sudoers.d/anything", "", False),
        ("/etc/cron.d/anything", "# comments alone\n", False),
        ("/usr/lib/python3/__pycache__/x.cpython-20.pyc", "of a Python that is not ours", True),
        ("/usr/lib/python3/__pycache__/y.cpython-20.pyc", "made of nothing", False),
    ],
)  # fmt: skip
def test_a_file_is_known_by_what_it_was_made_from(disk, path, text, known):
    disk[path] = text
    assert bool(derived_files.made_by(path, "")) is known


DEBIAN = """Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (DEBIAN, True),
        (DEBIAN + "\n" + DEBIAN.replace("org/debian", "org/debian-security"), True),
        (DEBIAN.replace("deb.debian.org", "deb.debian.org.evil.example"), False),
        (DEBIAN.replace("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n", ""), False),
        (DEBIAN.replace("debian-archive-keyring", "own"), False),
        (f"{DEBIAN}Trusted: yes\n", False),
        (f"{DEBIAN}Enabled: yes\n", True),
        (f"{DEBIAN}Enabled: no\n", False),
        (DEBIAN.replace("trixie-updates", "sid"), False),
        (f"# local \\\n{DEBIAN}URIs: http://evil.example\n", False),
        (f"{DEBIAN}Allow-Insecure: yes\n", False),
    ],
)
def test_a_source_is_known_when_it_is_debian_s_own_archive(disk, text, known):
    disk["/etc/apt/sources.list.d/debian.sources"] = text
    assert bool(derived_files.made_by("/etc/apt/sources.list.d/debian.sources", "")) is known


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


def test_pam_s_common_files_follow_the_packages_profiles(disk):
    assert pam_profiles.common("common-session") == [
        "session [default=1] pam_permit.so", "session requisite pam_deny.so", "session required pam_unix.so",
        "session optional pam_systemd.so",
    ]  # fmt: skip
    assert pam_profiles.common("common-session-noninteractive")[-1] == "session required pam_unix.so"
    disk["/usr/share/pam-configs/ldap"] = LDAP
    assert pam_profiles.common("common-auth")[:2] == [
        "auth [success=2 default=ignore] pam_unix.so nullok",
        "auth [success=1 default=ignore] pam_ldap.so use_first_pass",
    ]


def test_what_ucf_wrote_is_known_until_it_is_edited(disk):
    disk["/etc/ssh/sshd_config"] = "Include /etc/ssh/sshd_config.d/*.conf\n"
    digest = hashlib.md5(disk["/etc/ssh/sshd_config"].encode(), usedforsecurity=False).hexdigest()
    disk["/var/lib/ucf/hashfile"] = f"{digest}  /etc/ssh/sshd_config\n"
    assert derived_files.made_by("/etc/ssh/sshd_config", "") == "", "ucf was asked by hand: no package registered it"
    disk["/var/lib/ucf/registry"] = "openssh-server  /etc/ssh/sshd_config\n"
    derived_files.ucf.cache_clear()
    assert derived_files.made_by("/etc/ssh/sshd_config", "") == "", "ucfr was run by hand: no script names that file"
    disk["/info/openssh-server.postinst"] = "ucf /usr/share/openssh/sshd_config /etc/ssh/sshd_config\n"
    derived_files.ucf.cache_clear()
    assert derived_files.made_by("/etc/ssh/sshd_config", "") == "ucf"
    disk["/etc/ssh/sshd_config"] += "Match Address 10.0.0.0/8\n PermitRootLogin yes\n"
    assert derived_files.made_by("/etc/ssh/sshd_config", "") == ""


@pytest.mark.parametrize(
    ("line", "known"),
    [
        ("port = 5432  # as made", True),
        ("log_line_prefix = '%m [%p] %q%u@%d '  # with a # in it", True),
        ("archive_command = 'cp %p /tmp'", False),
        ("shared_preload_libraries = 'evil'", False),
        ("include_dir = '/tmp'", False),
        ("data_directory = '/tmp/data'", False),
        ("ssl = on  # '", True),
    ],
)
def test_postgresql_s_own_file_holds_its_maker_s_settings_alone(disk, line, known):
    disk["/etc/postgresql/17/main/postgresql.conf"] = f"# made by pg_createcluster\n{line}\n"
    assert bool(derived_files.made_by("/etc/postgresql/17/main/postgresql.conf", "")) is known


@pytest.mark.parametrize(
    ("basic", "known"),
    [
        ("X509v3 Basic Constraints: \n    CA:FALSE\n", True),
        ("X509v3 Basic Constraints: critical\n    CA:TRUE\n", False),
    ],
)
def test_the_certificate_that_the_installer_makes_signs_nothing(disk, monkeypatch, basic, known):
    monkeypatch.setattr(derived_files, "command", lambda *argv: basic)
    assert bool(derived_files.made_by("/etc/ssl/certs/ssl-cert-snakeoil.pem", "")) is known


def test_the_name_servers_are_those_behind_systemd_s_own(disk):
    disk["/etc/resolv.conf"] = "nameserver 127.0.0.53\n"
    disk["/run/systemd/resolve/resolv.conf"] = "# x\nnameserver 10.0.0.53\n"
    assert network_files.resolver_servers({}) == ["10.0.0.53"]
    disk["/etc/resolv.conf"] = "nameserver 10.0.0.53\nnameserver 203.0.113.66\n"
    assert network_files.resolver_servers({}) == ["10.0.0.53", "203.0.113.66"]
