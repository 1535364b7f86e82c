"""What others put on a machine: what an entry may name, and what is refused."""

from __future__ import annotations

import re

import pytest
from material.inventories import quick

from filae_ops.errors import OpsError
from filae_ops.inventory.model.closed_folders import CLOSED, OURS, is_closed, is_ours
from filae_ops.inventory.reading.declared_tree import declared_tree
from filae_ops.paths import data_path

LAST = '          version: "13"\n'


@pytest.fixture
def declare(edit, site):
    """Give the demo inventory with these additions, one a line of YAML without its purpose."""

    def _declare(*entries: str):
        lines = "".join(f"          - {{{entry}, purpose: essai}}\n" for entry in entries)
        edit("hosts.yml", LAST, f"{LAST}        additions:\n{lines}")
        return quick(site)

    return _declare


def refusal(declare, *entries):
    with pytest.raises(OpsError) as caught:
        declare(*entries)
    (problem,) = caught.value.problems
    return problem


ACCEPTED = [
    "path: /opt/falcon", "path: /etc/falcon/agent.conf", "path: /etc/cron.d/veeam", "path: /etc/sudoers.d/supervision",
    "path: /etc/pam.d/mfa", "path: /etc/hosts", "path: /etc/nginx/agent.conf", "path: /usr/local/qualys",
    "path: /usr/local/sbin/collect", "path: /var/lib/veeam", "path: /usr/local/share/agent", "path: /etc/crontab",
    "path: /etc/apt/sources.list.d/wazuh.sources", "path: /etc/systemd/system/ssh.service.d/trace.conf",
    "path: /etc/systemd/timesyncd.conf", "path: /var/spool/cron/crontabs/root", "path: /home/falcon/bin",
    "unit: falcon-sensor.service", "unit: agent@site.timer", "unit: agent@.service", r"unit: 'srv-a\x2db.mount'",
    "package: falcon-sensor", "package: libstdc++6-agent", "account: falcon", "account: Agent_1", "account: debian",
    'nft_table: "inet f2b-table"', "nft_table: ip nat",
]  # fmt: skip


@pytest.mark.parametrize("entry", ACCEPTED)
def test_what_a_hospital_adds_may_be_declared(declare, entry):
    (host,) = declare(entry).hosts.values()
    (addition,) = host.machine.additions
    kind, _, name = entry.partition(": ")
    assert (addition.kind, addition.name) == (kind, name.strip("'\""))
    assert (addition.purpose, addition.owner) == ("essai", "dsi")


def test_nothing_is_added_unless_it_is_declared(site):
    inventory = quick(site)
    assert [host.machine.additions for host in inventory.hosts.values()] == [()]
    assert "additions" not in declared_tree(inventory)["machines"][0]


WIDE = [
    "/", "/etc", "/usr", "/opt", "/var", "/home", "/run", "/boot", "/root", "/srv", "/tmp", "/var/lib", "/usr/local",
    "/usr/lib", "/etc/sudoers.d", "/etc/ssh", "/etc/ssh/sshd_config.d", "/etc/pam.d", "/etc/security", "/etc/apt",
    "/etc/apt/sources.list.d", "/etc/apt/trusted.gpg.d", "/etc/apt/preferences.d", "/etc/apt/apt.conf.d", "/etc/nginx",
    "/etc/nginx/conf.d", "/etc/nginx/sites-enabled", "/etc/nginx/modules-enabled", "/etc/postgresql/17/main",
    "/etc/postgresql/17", "/etc/postgresql", "/etc/systemd", "/etc/systemd/system", "/etc/systemd/journald.conf.d",
    "/etc/systemd/system/ssh.service.d", "/etc/systemd/system/multi-user.target.wants", "/run/systemd",
    "/run/systemd/system", "/usr/lib/systemd", "/usr/lib/systemd/system", "/usr/local/lib/systemd/system",
    "/usr/local/lib", "/etc/cron.d", "/etc/cron.daily", "/var/spool", "/var/spool/cron", "/var/spool/cron/crontabs",
    "/etc/sysctl.d", "/usr/lib/sysctl.d", "/etc/ld.so.conf.d", "/etc/profile.d", "/etc/init.d", "/etc/rc2.d",
    "/etc/dpkg", "/etc/dpkg/dpkg.cfg.d", "/var/lib/dpkg", "/var/lib/postgresql", "/var/lib/postgresql/17/main",
    "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/security", "/usr/share", "/usr/share/keyrings", "/usr/share/pam-configs", "/etc/ssl",
    "/etc/ssl/certs", "/etc/udev/rules.d", "/etc/polkit-1", "/etc/tmpfiles.d", "/etc/modprobe.d", "/etc/default",
    "/home/amartin", "/home/amartin/.ssh", "/root/.ssh", "/usr/lib/python3", "/usr/lib/ruby/vendor_ruby", "/var/log",
    "/usr/lib/python3.13/json", "/usr/lib/ruby/3.3.0/json", "/usr/lib/x86_64-linux-gnu/ossl-modules",
]  # fmt: skip


@pytest.mark.parametrize("path", WIDE)
def test_a_folder_that_would_account_for_everything_is_refused(declare, path):
    problem = refusal(declare, f"path: {path}")
    assert f"{path!r} is too wide" in problem.what
    assert "declare the file in it, not the folder" in problem.next_step
    assert (problem.owner, problem.field) == ("provider", "hosts.filae-demo.machine.additions.0.path")


TOOLKIT = [
    "/etc/filae", "/etc/filae/secrets", "/opt/filae", "/opt/filae/releases/1.0.0", "/srv/filae/files",
    "/var/lib/filae-ops", "/usr/local/sbin/filaectl", "/etc/sudoers.d/filae-operators",
    "/etc/ssh/sshd_config.d/00-filae.conf", "/etc/systemd/system/filae-web@.service",
    "/etc/systemd/system/filae-web@.service.d/open.conf", "/etc/nginx/filae", "/etc/nginx/nginx.conf",
    "/etc/ssh/authorized_keys.d/mallory", "/etc/ssh/authorized_keys.d", "/etc/ssh/sshd_config", "/etc/sudoers",
    "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/postgresql/17/main/pg_hba.conf",
]  # fmt: skip


@pytest.mark.parametrize("path", TOOLKIT)
def test_what_is_ours_is_nobody_s_addition(declare, path):
    problem = refusal(declare, f"path: {path}")
    assert repr(path) in problem.what
    assert "is this toolkit's own, or decides who enters" in problem.what or "is too wide" in problem.what
    assert problem.next_step


def test_no_file_that_a_role_places_can_be_declared():
    tasks = [path.read_text() for path in data_path("roles").glob("*/tasks/*.yml")]
    placed = {path for text in tasks for path in re.findall(r"path: (/[\w./@-]+)", text)}
    assert len(placed) > 50
    assert {path for path in placed if not is_ours(path) and not is_closed(path)} == set()


def test_what_is_closed_and_ours_is_refused_whatever_stands_for_the_star():
    for pattern in (*CLOSED, *OURS):
        path = pattern.replace("*", "x")
        assert is_closed(path) or is_ours(path), pattern


FORMS = {
    "relative": ("path: opt/x", "is not an absolute path"),
    "above": ("path: /opt/x/../../etc/shadow", "is not an absolute path"),
    "itself": ("path: /opt/./x", "is not an absolute path"),
    "two slashes": ("path: /opt//x", "is not an absolute path"),
    "a final slash": ("path: /opt/x/", "is not an absolute path"),
    "a glob": ("path: /opt/x*", "is not an absolute path"),
    "another glob": ("path: '/opt/x[ab]'", "is not an absolute path"),
    "a space": ("path: /opt/a b", "is not an absolute path"),
    "a home": ("path: ~/x", "is not an absolute path"),
    "too long": (f"path: /opt/{'a/' * 600}b", "is not an absolute path"),
    "a link of Debian's": ("path: /lib/systemd/system/x.service", "goes through a link of Debian's own"),
    "a link to /run": ("path: /var/run/agent", "goes through a link of Debian's own"),
    "no type": ("unit: falcon", "is not the name of a systemd unit"),
    "a unit's glob": ("unit: '*.service'", "is not the name of a systemd unit"),
    "a unit's path": ("unit: /etc/systemd/system/x.service", "is not the name of a systemd unit"),
    "a unit of no file": ("unit: session-1.scope", "is not the name of a systemd unit"),
    "two instances": ("unit: a@b@c.service", "is not the name of a systemd unit"),
    "a long unit": (f"unit: {'x' * 250}.service", "is not the name of a systemd unit"),
    "our unit": ("unit: filae-web@blue.service", "is a unit of this toolkit"),
    "our target": ("unit: filae.target", "is a unit of this toolkit"),
    "nginx": ("unit: nginx.service", "is a unit of this toolkit"),
    "PostgreSQL": ("unit: postgresql@17-main.service", "is a unit of this toolkit"),
    "sshd": ("unit: ssh.service", "is a unit of this toolkit"),
    "systemd's": ("unit: systemd-journald@filae.service", "is a unit of this toolkit"),
    "a package's version": ("package: 'falcon=1.0'", "is not the name of a Debian package"),
    "a package's glob": ("package: 'falcon*'", "is not the name of a Debian package"),
    "sudo": ("package: sudo", "is a package that this toolkit takes from Debian"),
    "the web server": ("package: nginx", "is a package that this toolkit takes from Debian"),
    "the database": ("package: postgresql-17", "is a package that this toolkit takes from Debian"),
    "an account's form": ("account: 'a b'", "is not the name of a local account"),
    "an account of a directory": ("account: a@chv.example", "is not the name of a local account"),
    "PostgreSQL's": ("account: postgres", "is an account of the system"),
    "the application": ("account: filae", "is an account of the system"),
    "the DSI's group": ("account: filae-dsi", "is an account of the system"),
    "postgres": ("account: postgres", "is an account of the system"),
    "www-data": ("account: www-data", "is an account of the system"),
    "an operator": ("account: amartin", "the account 'amartin' is a person's of access.yml"),
    "somebody of the DSI": ("account: cdiallo", "the account 'cdiallo' is a person's of access.yml"),
    "no family": ("nft_table: f2b", "is not the family and the name of an nftables table"),
    "another family": ("nft_table: any f2b", "is not the family and the name of an nftables table"),
    "a rule": ("nft_table: 'inet x { }'", "is not the family and the name of an nftables table"),
    "our table": ("nft_table: inet filae", "is this toolkit's own table"),
    "nothing": ("owner: dsi", "names exactly one thing, this one nothing"),
    "two things": ("path: /opt/x, package: xx", "names exactly one thing, this one `package` and `path`"),
    "an unknown party": ("path: /opt/x, owner: nobody", "is wanted, not 'nobody'"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_an_entry_that_names_nothing_of_its_own_is_refused(declare, case):
    entry, why = FORMS[case]
    problem = refusal(declare, entry)
    assert why in problem.what
    assert problem.owner == "provider"
    assert problem.next_step
    assert len(problem.what) < 400


def test_a_purpose_is_required(edit, site):
    edit("hosts.yml", LAST, f"{LAST}        additions:\n          - path: /opt/x\n            purpose: a-renseigner\n")
    with pytest.raises(OpsError, match=r"additions\.0\.purpose"):
        quick(site)


TWICE = {
    "the same path": ("path: /opt/x", "path: /opt/x"),
    "the same unit": ("unit: x.service", "unit: x.service"),
    "the same table": ("nft_table: ip nat", "nft_table: ip nat"),
    "a file in a folder": ("path: /opt/x", "path: /opt/x/bin/y"),
    "a folder after its file": ("path: /opt/x/bin/y", "path: /opt/x"),
    "a unit's file": ("unit: x.service", "path: /etc/systemd/system/x.service"),
    "a unit's fragment": ("path: /etc/systemd/system/x.service.d/a.conf", "unit: x.service"),
    "a unit's link": ("unit: x.service", "path: /etc/systemd/system/multi-user.target.wants/x.service"),
}


@pytest.mark.parametrize("case", TWICE)
def test_nothing_is_declared_twice(declare, case):
    problem = refusal(declare, *TWICE[case])
    assert "is declared already, by " in problem.what
    assert re.fullmatch(r"hosts\.filae-demo\.machine\.additions\.[01]", problem.field)


def test_neighbours_are_no_duplicates(declare):
    declare("path: /opt/x", "path: /opt/xy", "unit: x.service", "unit: x.timer", "account: x", "package: xx")
