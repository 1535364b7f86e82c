"""What scripts of packages make is told from what anybody else wrote there."""

from __future__ import annotations

import hashlib

import pytest

from filae_ops.facts import derived_files, pam_profiles

GOOD = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
LDAP = """Name: LDAP
Default: yes
Priority: 128
Auth-Type: Primary
Auth:
\t[success=end default=ignore]\tpam_ldap.so use_first_pass
"""
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
        ("/etc/environment", "# nothing\n", True),
        ("/etc/environment", "LD_PRELOAD=/tmp/x.so\n", False),
        ("/etc/environment", "# local \\\nLD_PRELOAD=/tmp/x.so\n", False),
        ("/etc/pam.d/common-auth", f"# local \\\nauth sufficient pam_permit.so\n{AUTH}", False),
        ("/etc/default/keyboard", 'XKBLAYOUT="fr"\nBACKSPACE="guess"\n', True),
        ("/etc/default/keyboard", "PATH=/var/tmp:/usr/bin\n", False),
        ("/etc/default/keyboard", "# local \\\ntouch /root/x\n", False),
        ("/etc/subuid", "camille:100000:65536\n", True),
        ("/etc/subuid", "filae:100000:65536\n", False),
        ("/etc/subgid", "993:100000:65536\n", False),
        ("/etc/nologin", "", False),
        ("/etc/shells", "# shells\n/bin/bash\n", True),
        ("/etc/shells", "/bin/bash\n/tmp/shell\n", False),
        ("/etc/ssl/certs/ca-certificates.crt", GOOD, True),
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
URIs: http://ftp.fr.debian.org/debian
Suites: trixie trixie-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (DEBIAN, True),
        (DEBIAN + "\n" + DEBIAN.replace("org/debian", "org/debian-security"), True),
        (DEBIAN.replace("ftp.fr.debian.org", "ftp.fr.debian.org.evil.example"), False),
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
