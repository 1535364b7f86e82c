"""What nothing accounts for is named; what a package, a role, the agent or the inventory accounts for is not."""

from __future__ import annotations

from typing import Any

import pytest

from filae_ops.facts import decisive
from filae_ops.inventory.model.additions import Addition
from filae_ops.verification import accounted, accounted_files
from filae_ops.verification.placed_by_roles import Placement

FILE: dict[str, Any] = {"kind": "file", "mode": "0644", "user": "root", "group": "root", "sha256": "a", "by": ""}
PLACED = {
    "/etc/filae/allowed_signers": Placement("file", "root", "root", "0644", "a", None, "agent"),
    "/etc/filae/tls/key.pem": Placement("file", "root", "root", "0600", None, None, "tls"),
    "/etc/filae/tls/issued/*.pem": Placement("file", "root", "root", "0600", None, None, "tls"),
    "/etc/systemd/system/x.wants/filae.target": Placement(
        "link", "root", "root", "0777", None, "../filae.target", "app"
    ),
    "/etc/ssh/x.previous": Placement("file", "root", "root", "0600", None, None, "access", optional=True),
}  # fmt: skip
ALL_THERE = [
    {**FILE, "path": "/etc/filae/allowed_signers"},
    {**FILE, "path": "/etc/filae/tls/key.pem", "mode": "0600", "sha256": "secret"},
    {**FILE, "path": "/etc/systemd/system/x.wants/filae.target", "kind": "link", "target": "../filae.target"},
]


def leftovers(*rows: dict[str, Any], additions: tuple[Addition, ...] = ()) -> list[tuple[str, str, str]]:
    there = {row["path"] for row in rows}
    every = [*(row for row in ALL_THERE if row["path"] not in there), *rows]
    found = accounted_files.files(every, PLACED, additions)
    return [(each.name, each.what, each.source) for each in found]


def test_what_is_as_placed_is_accounted_for():
    assert leftovers() == []
    assert leftovers({**FILE, "path": "/etc/filae/tls/issued/1F.pem", "mode": "0600"}) == []


@pytest.mark.parametrize(
    ("row", "what", "source"),
    [
        ({"path": "/etc/filae/allowed_signers", "sha256": "other"}, "changed", "agent"),
        ({"path": "/etc/filae/tls/key.pem", "mode": "0644"}, "attributes", "tls"),
        ({"path": "/etc/filae/tls/key.pem", "mode": "0600", "user": "filae"}, "attributes", "tls"),
        ({"path": "/etc/filae/tls/key.pem", "kind": "link", "target": "/tmp/key"}, "changed", "tls"),
        ({"path": "/etc/systemd/system/x.wants/filae.target", "kind": "link", "target": "/tmp/x"}, "changed", "app"),
        ({"path": "/etc/filae/allowed_signers", "kind": "missing"}, "absent", "agent"),
        ({"path": "/etc/sudoers.d/mallory"}, "unknown", ""),
        ({"path": "/etc/cron.d/job"}, "unknown", ""),
        ({"path": "/etc/ssh/sshd_config.d/0-open.conf"}, "unknown", ""),
        ({"path": "/etc/systemd/system/nginx.service.d/x.conf"}, "unknown", ""),
        ({"path": "/etc/nginx/conf.d/x.conf"}, "unknown", ""),
        ({"path": "/usr/local/bin/ls"}, "unknown", ""),
        ({"path": "/usr/lib/python3/dist-packages/x.pth"}, "unknown", ""),
        ({"path": "/root/.bash_login"}, "unknown", ""),
        ({"path": "/etc/anything"}, "unknown", ""),
        ({"path": "/etc/fifo", "kind": "special"}, "unknown", ""),
        ({"path": "/etc/sudoers", "package": "sudo"}, "changed", "package sudo"),
        ({"path": "/usr/sbin/sshd", "package": "openssh-server"}, "changed", "package openssh-server"),
        ({"path": "/etc/sudoers", "package": "sudo", "kind": "missing"}, "absent", "package sudo"),
        ({"path": "/etc/profile", "by": "a copy", "loose": True, "mode": "0666"}, "loose", ""),
        ({"path": "/etc/cron.d", "kind": "directory", "loose": True, "mode": "0777"}, "loose", ""),
    ],
)  # fmt: skip
def test_what_is_not_as_accounted_for_is_named(row, what, source):
    assert leftovers({**FILE, **row}) == [(row["path"], what, source)]


@pytest.mark.parametrize(
    "row",
    [
        {"path": "/etc/profile", "by": "a copy"},
        {"path": "/etc/cron.d", "kind": "directory"},
        {"path": "/var/log/nginx/access.log"},
        {"path": "/srv/filae/files/attachments", "kind": "directory", "user": "filae", "loose": True},
        {"path": "/var/lib/filae-ops/journal.jsonl"},
    ],
)
def test_what_a_package_made_and_what_decides_nothing_is_not_named(row):
    assert leftovers({**FILE, **row}) == []


def test_an_absent_file_of_ours_is_named():
    found = accounted_files.files([], PLACED, [])
    assert {each.name for each in found} == {
        "/etc/filae/allowed_signers", "/etc/filae/tls/key.pem", "/etc/systemd/system/x.wants/filae.target",
    }  # fmt: skip


AGENT = {**FILE, "path": "/etc/systemd/system/falcon.service"}


def test_what_the_inventory_declares_is_accounted_for():
    assert leftovers(AGENT)[0][1] == "unknown"
    assert leftovers(AGENT, additions=(Addition(unit="falcon.service", purpose="antivirus"),)) == []
    assert leftovers(AGENT, additions=(Addition(path=AGENT["path"], purpose="antivirus"),)) == []
    opened = {**AGENT, "loose": True, "mode": "0666"}
    declared = (Addition(unit="falcon.service", purpose="antivirus"),)
    assert [what for _, what, _ in leftovers(opened, additions=declared)] == ["loose"]
    owned = {**AGENT, "loose": True, "user": "falcon"}
    assert leftovers(owned)[-1][1] == "loose"
    assert leftovers(owned, additions=declared) == []


def test_what_all_may_change_is_named_wherever_a_unit_starts_it_and_data_is_not():
    program = {**AGENT, "path": "/opt/acme/agent", "loose": True, "mode": "0777"}
    for declared in (Addition(unit="acme.service", purpose="-"), Addition(path="/opt/acme", purpose="-")):
        assert [what for _, what, _ in leftovers(program, additions=(declared,))] == ["loose"]
    above = {**program, "path": "/opt/acme", "kind": "directory"}
    assert [what for _, what, _ in leftovers(above)] == ["loose"]
    assert leftovers({**program, "path": "/srv/filae/files/x"}) == []


def test_packages_tables_and_units_are_named_until_declared():
    additions = [
        Addition(package="falcon", purpose="antivirus"), Addition(nft_table="inet f2b", purpose="bans"),
        Addition(unit="falcon.service", purpose="antivirus"), Addition(account="falcon", purpose="antivirus"),
    ]  # fmt: skip
    people = {"falcon": {"uid": 1001, "shell": "/bin/sh", "password": False, "home": "/home"}}
    for named, declared in (
        (accounted.packages(["falcon"], []), accounted.packages(["falcon"], additions)),
        (accounted.tables(["inet filae", "inet f2b"], []), accounted.tables(["inet f2b"], additions)),
        (accounted.units(["falcon.service"], []), accounted.units(["falcon.service"], additions)),
        (accounted.accounts(people, set(), []), accounted.accounts(people, set(), additions)),
    ):
        assert [each.what for each in named] == ["unknown"]
        assert [*declared] == []


def test_sessions_and_transactions_of_ours_need_no_file():
    names = ["session-4.scope", "session-c1.scope", "filae-transaction.service", "filae-run-migrate.service"]
    assert [*accounted.units(names, [])] == []
    assert [*accounted.units(["filae-evil.service", "run-u1.service"], [])]


@pytest.mark.parametrize(
    ("name", "about", "named"),
    [
        ("root", {"uid": 0, "shell": "/bin/bash", "password": False}, False),
        ("postgres", {"uid": 101, "shell": "/bin/bash", "password": False}, False),
        ("postgres", {"uid": 101, "shell": "/bin/bash", "password": True}, True),
        ("www-data", {"uid": 33, "shell": "/usr/sbin/nologin", "password": False}, False),
        ("www-data", {"uid": 33, "shell": "/bin/bash", "password": False}, True),
        ("amartin", {"uid": 1000, "shell": "/bin/bash", "password": False}, False),
        ("mallory", {"uid": 1001, "shell": "/usr/sbin/nologin", "password": False}, True),
        ("toor", {"uid": 0, "shell": "/bin/sh", "password": False}, True),
        ("games", {"uid": 5, "shell": "/var/tmp/nologin", "password": False}, True),
        ("games", {"uid": 5, "shell": "", "password": False}, True),
        ("root", {"uid": 0, "shell": "/bin/bash", "password": False, "home": "/var/tmp"}, True),
        ("root", {"uid": 0, "shell": "/var/tmp/bash", "password": False}, True),
    ],
)
def test_an_account_that_may_open_a_session_is_named_unless_declared(name, about, named):
    home = {"root": "/root", "postgres": "/var/lib/postgresql"}.get(name, "/home")
    assert bool([*accounted.accounts({name: {"home": home, **about}}, {"amartin"}, [])]) is named


def test_another_name_of_an_account_is_named_though_it_is_declared():
    postgres = {"uid": 101, "shell": "/bin/bash", "password": False, "home": "/var/lib/postgresql"}
    twin = {**postgres, "shell": "/usr/sbin/nologin", "home": "/"}
    declared = [Addition(account="mallet", purpose="-")]
    found = [*accounted.accounts({"postgres": postgres, "mallet": twin}, set(), declared)]
    assert [each.name for each in found] == ["mallet"]


def test_a_password_of_root_s_is_named_until_it_is_declared():
    root = {"root": {"uid": 0, "shell": "/bin/bash", "password": True, "home": "/root"}}
    assert [each.name for each in accounted.accounts(root, set(), [])] == ["root"]
    assert [*accounted.accounts(root, set(), [Addition(account="root", purpose="console")])] == []


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({"members": {"ssl-cert": ["postgres"]}}, []),
        ({"members": {"ssl-cert": ["postgres", "x"]}}, ["x (ssl-cert)"]),
        ({"members": {"adm": ["declared"], "filae-operators": ["camille"]}}, []),
        ({"accounts": {"www-data": {"group": "filae"}}}, ["www-data (filae)"]),
        ({"accounts": {"filae_migrate": {"group": "filae"}, "sync": {"group": "nogroup"}}}, []),
        ({"group_passwords": ["shadow"]}, ["* (shadow)"]),
    ],
)
def test_whoever_is_in_a_group_by_any_way_is_named(about, expected):
    facts = {"members": {}, "accounts": {}, "group_passwords": [], **about}
    assert accounted.memberships(facts, {"declared"}) == expected


@pytest.mark.parametrize(
    ("path", "rights", "package", "named"),
    [
        ("/usr/bin/sudo", "4755 root:root", "sudo", False),
        ("/usr/bin/sudo", "4755 root:root", "", True),
        ("/usr/bin/sudo", "4777 root:root", "sudo", True),
        ("/usr/bin/bash", "4755 root:root", "bash", True),
        ("/tmp/shell", "4755 root:root", "", True),
        ("/usr/bin/ping", "capabilities 0100000200200000000000000000000000000000", "iputils-ping", False),
        ("/usr/bin/ping", "capabilities 01000002ffffffff000000000000000000000000", "iputils-ping", True),
        ("/usr/bin/python3.13", "capabilities 0100000280000000000000000000000000000000", "python3", True),
    ],
)
def test_a_program_with_rights_that_debian_does_not_give_is_named(path, rights, package, named):
    rows = [{"path": path, "rights": rights, "package": package}]
    assert bool([*accounted.privileges(rows, [])]) is named


def test_a_socket_of_a_session_or_of_an_unknown_unit_is_named():
    fragments = {"nginx.service": "/usr/lib/systemd/system/nginx.service", "x.service": "/etc/systemd/system/x.service"}
    row = {"socket": "127.0.0.1:9000/tcp", "program": "nc"}
    front = {"socket": "0.0.0.0:443/tcp", "program": "nginx", "unit": "nginx.service"}
    assert [*accounted.sockets([front], fragments, set(), [])] == []
    assert [*accounted.sockets([{**front, "socket": "127.0.0.1:8099/tcp"}], fragments, set(), [])]
    for unit in ("x.service", "session-4.scope", "run-u1.service", ""):
        unknown = {"/etc/systemd/system/x.service"}
        assert [*accounted.sockets([{**row, "unit": unit}], fragments, unknown, [])], unit
    declared = [Addition(unit="x.service", purpose="agent")]
    assert [*accounted.sockets([{**row, "unit": "x.service"}], fragments, set(), declared)] == []


def test_each_file_that_a_role_places_lies_where_the_machine_is_asked(example_placements):
    trees = (*decisive.TREES, *decisive.SHALLOW)
    missed = [path for path in example_placements if not path.startswith(tuple(trees))]
    assert missed == []


@pytest.fixture(scope="module")
def example_placements() -> set[str]:
    """What the roles place on the machine of an example."""
    from filae_ops.paths import data_path
    from filae_ops.verification.placed_by_roles import placed_by_roles

    placed = placed_by_roles(data_path("inventories", "hospital-vm"))
    return {path for each in placed.values() for path in each}
