"""What scripts of packages make is told from what anybody else wrote there."""

from __future__ import annotations

import hashlib

import pytest

from filae_ops.facts import cluster_files, derived_files, derived_links, package_files, pam_profiles

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
    "/usr/share/ca-certificates/good.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
}
PACKAGED = {
    *FILES, "/bin/nano", "/usr/bin/nano", "/etc/init.d/ssh", "/usr/bin/bash", "/bin/bash", "/usr/lib/python3/x.py",
}  # fmt: skip


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A disk of texts by path, of which FILES are packages'."""
    texts = dict(FILES)
    for module in (derived_files, derived_links, pam_profiles, cluster_files):
        monkeypatch.setattr(module, "read", lambda path: texts.get(path, ""))
    monkeypatch.setattr(derived_files, "_bytes", lambda path: texts.get(path, "\0").encode())
    for module in (package_files, derived_links):
        monkeypatch.setattr(module, "packaged", lambda path: bool({path, package_files.merged(path)} & PACKAGED))

    def matching(pattern: str, *, recursive: bool = False) -> list[str]:
        head = pattern.partition("*")[0]
        return [path for path in texts if path.startswith(head)]

    monkeypatch.setattr(derived_files.glob, "glob", matching)
    monkeypatch.setattr(derived_links.os.path, "lexists", lambda path: path in texts)
    monkeypatch.setattr(derived_files.socket, "gethostname", lambda: "site")
    monkeypatch.setattr(derived_files.socket, "getfqdn", lambda: "site.hopital.example")
    monkeypatch.setattr(derived_files, "_own_addresses", lambda: frozenset({"10.0.0.5"}))
    for cached in (derived_links._alternatives, derived_links._presets, derived_files.ucf):
        cached.cache_clear()
    return texts


UNITS = "/usr/lib/systemd/system"
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
        ("/etc/environment", "LD_PRELOAD=/tmp/x.so\n", False),
        ("/etc/shells", "# shells\n/bin/bash\n", True),
        ("/etc/shells", "/bin/bash\n/tmp/shell\n", False),
        ("/etc/ssl/certs/ca-certificates.crt", FILES["/usr/share/ca-certificates/good.crt"], True),
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
        ("/usr/bin/editor", "/etc/alternatives/editor", True),
        ("/usr/bin/ls", "/etc/alternatives/editor", False),
        ("/etc/rc2.d/S01ssh", "../init.d/ssh", True),
        ("/etc/rc2.d/S01evil", "../init.d/evil", False),
        ("/etc/ssl/certs/good.pem", "/usr/share/ca-certificates/good.crt", True),
        ("/etc/ssl/certs/evil.pem", "/usr/local/share/ca-certificates/evil.crt", False),
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
