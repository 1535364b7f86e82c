"""The gathering: it travels as one script, breaks part by part, and speaks TLS by hand."""

from __future__ import annotations

import datetime as dt
import json
import os
import pwd
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from filae_ops.facts import database, gathering, hello, mounts, network, outside, secrets, system, units
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.verification import gather


def test_the_script_needs_nothing_of_the_package(tmp_path):
    expected = {"parts": ["names", "outside"], "public_name": "localhost", "seconds": 20}
    done = subprocess.run(
        [sys.executable, "-I", "-"],
        input=gather.script(expected),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
    )
    found = json.loads(done.stdout)["facts"]
    assert found["names"]["value"]["public_name"] == "localhost"
    assert found["outside"]["error"] == "not asked from here"


def test_a_part_that_breaks_or_hangs_hides_nothing_else(monkeypatch):
    def unmeasured(_):
        raise gathering.Unmeasured("why")

    parts = {"good": lambda _: 1, "bad": lambda _: 1 / 0, "slow": lambda _: time.sleep(5), "unmeasured": unmeasured}
    monkeypatch.setattr(gathering, "PARTS", parts)
    found = gathering.gather({}, 0.3)
    assert found["good"]["value"] == 1
    assert "ZeroDivisionError" in found["bad"]["error"]
    assert "no answer" in found["slow"]["error"]
    assert found["unmeasured"]["error"] == "why"


@pytest.mark.parametrize(
    ("argv", "said"),
    [(["/nowhere/at-all"], "is not installed"), (["false"], "ended with status 1"), (["sleep", "5"], "no answer")],
)
def test_a_command_that_fails_is_unmeasured(argv, said):
    with pytest.raises(gathering.Unmeasured, match=said):
        gathering.command(*argv, seconds=0.2)


def test_the_rules_are_made_from_the_inventory():
    inventory = load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())
    rules = gather.firewall_rules(inventory)
    assert rules.count("policy drop;") == 3
    for flow in inventory.flows:
        assert f'comment "{flow.id}"' in rules
    assert "ip saddr { 192.0.2.64/26 } tcp dport { 443 }" in rules
    assert "ip6 saddr { 2001:db8:10::/48 } tcp dport { 443 }" in rules
    assert "ip saddr { 192.0.2.128/26 } tcp dport { 22 }" in rules


def test_counters_do_not_count():
    assert network._plain("counter packets 3 bytes 180 accept\n") == "counter accept"


def test_secrets_are_found_by_name_only(tmp_path):
    log = tmp_path / "x.log"
    log.write_bytes(b"before " + b"k" * 64 + b" after")
    late = time.monotonic() + 5
    assert secrets._in_file(str(log), {"token": b"k" * 64, "other": b"absent!!"}, late) == ({"token"}, True)
    assert secrets._in_file(str(tmp_path / "none"), {"token": b"k" * 64}, late) == (set(), True)


def test_a_secret_is_found_wherever_it_begins_and_a_log_without_end_is_left(tmp_path):
    log = tmp_path / "x.log"
    for before in (secrets.SMALL - 10, 3 * secrets.SMALL - 63):
        log.write_bytes(b"-" * before + b"k" * 64)
        assert secrets._in_file(str(log), {"token": b"k" * 64}, time.monotonic() + 5) == ({"token"}, True)
    os.truncate(log, 1 << 42)  # takes no room
    assert secrets._in_file(str(log), {"token": b"k" * 64}, time.monotonic() + 0.1) == ({"token"}, False)


def test_what_others_put_among_their_files_is_not_followed_and_keeps_nobody_waiting(tmp_path, monkeypatch):
    logs, elsewhere = tmp_path / "log", tmp_path / "elsewhere"
    for place in (logs, elsewhere):
        place.mkdir()
        (place / "x.log").write_bytes(b"k" * 64)
    os.mkfifo(logs / "pipe.log")
    (logs / "link.log").symlink_to(elsewhere / "x.log")
    (logs / "directory").symlink_to(elsewhere)
    monkeypatch.setattr(secrets, "needles", lambda: {"token": b"k" * 64})
    monkeypatch.setattr(secrets, "LOGS", {str(logs): r".*\.log"})
    monkeypatch.setattr(secrets, "_in_journal", lambda *_: (set(), True))
    found = secrets.leaks({})
    assert (found["logs"], found["unread"]) == ([f"token in {logs}/x.log"], [])
    # What was a readable file a moment ago.
    names = ("x.log", "pipe.log", "link.log", "directory/x.log", "absent")
    monkeypatch.setattr(secrets, "_small_readable", lambda: iter([str(logs / name) for name in names]))
    assert secrets.exposed({}) == [f"token in {logs}/x.log"]


JOURNALCTL = """#!/bin/sh
case "$1" in
--namespace=) printf 'quiet\n' ;;
--namespace=filae) printf 'kkkkkkkkkkkkkkkk\n'; exec sleep 30 ;;
esac
"""


def test_both_journals_are_searched_and_the_one_not_read_to_its_end_is_named(tmp_path, monkeypatch):
    (tmp_path / "journalctl").write_text(JOURNALCTL)
    (tmp_path / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(secrets, "needles", lambda: {"token": b"k" * 16})
    monkeypatch.setattr(secrets, "LOGS", {})
    monkeypatch.setattr(secrets, "READING_S", 0.5)
    began = time.monotonic()
    found = secrets.leaks({})
    assert time.monotonic() - began < 5
    assert found["logs"] == ["token in the application's journal"]
    assert found["unread"] == ["the application's journal"]


def test_a_stop_in_order_is_what_journald_says_of_itself(monkeypatch):
    """Any process may write an entry with the number of journald's own message."""
    boots = [{"boot_id": name, "last_entry": int(time.time() - 60) * 1_000_000} for name in ("a", "b")]
    stop = json.dumps({"_BOOT_ID": "a", "__REALTIME_TIMESTAMP": str(boots[0]["last_entry"])})

    def command(*argv, **_):
        return json.dumps(boots) if "--list-boots" in argv else "" if "_TRANSPORT=driver" in argv else stop

    monkeypatch.setattr(system, "command", command)
    assert len(system.boots({})["unclean"]) == 1


def test_what_runs_as_the_application_outside_of_its_units_is_seen(tmp_path, monkeypatch):
    own = {entry.pw_name: entry for entry in pwd.getpwall()}["nobody"]
    monkeypatch.setattr(units, "USERS", ("nobody",))
    with subprocess.Popen(["sleep", "30"], user=own.pw_uid, group=own.pw_gid) as stray:
        found = units._strays()
        monkeypatch.setattr(units, "OWN_UNIT", re.compile(""))
        inside = units._strays()
        stray.kill()
    assert f"sleep ({stray.pid})" in found
    assert inside == set()


SHOWN = """MainPID=7
ReadWritePaths=-/srv/filae/files/attachments +/var/cache/filae/2.0.0
Id=filae-web@blue.service

MainPID=0
ReadWritePaths=/var/cache/filae/1.0.0
Id=filae-web@green.service
"""


def test_writes_are_tried_in_closed_and_in_own_places(monkeypatch):
    asked = []

    def command(*argv, **_):
        if argv[0] == "systemctl":
            return SHOWN
        asked.append(json.loads(argv[-1]))
        return json.dumps({"filae-web@blue.service": {"/etc": "EROFS"}})

    monkeypatch.setattr(mounts, "command", command)
    assert mounts.writes({}) == {"filae-web@blue.service": {"/etc": "EROFS"}}
    (unit,) = asked[0].items()
    assert unit[0] == "filae-web@blue.service"
    assert unit[1][0] == 7
    assert {"/", "/dev/shm", "/etc/systemd/system", "/run", "/usr", "/var/lib/filae-ops", "/tmp"} <= set(unit[1][1])
    assert unit[1][1][-2:] == ["/srv/filae/files/attachments", "/var/cache/filae/2.0.0"]
    monkeypatch.setattr(mounts, "command", lambda *argv, **_: SHOWN if argv[0] == "systemctl" else '{"x": "No such"}')
    with pytest.raises(gathering.Unmeasured, match="cannot be entered: x: No such"):
        mounts.writes({})


def test_a_write_that_is_tried_leaves_nothing_behind(tmp_path):
    (tmp_path / "file").touch()
    here = "import os; os.setns, os.CLONE_NEWNS = (lambda *_: None), 0\n"
    asked = {"one": (os.getpid(), [str(tmp_path), str(tmp_path / "absent")]), "gone": (2**22 + 1, ["/"])}
    argv = [sys.executable, "-I", "-c", here + mounts.SCRIPT, json.dumps(asked)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)
    assert found["one"] == {str(tmp_path): "written", str(tmp_path / "absent"): "ENOENT"}
    assert isinstance(found["gone"], str)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve TLS 1.2 and 1.3 with Python's defaults, on a port of our own."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(plain + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.set_ciphers("ECDHE+AESGCM")
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener, context), daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def _serve(listener, context):
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        try:
            context.wrap_socket(link, server_side=True).close()
        except OSError:
            link.close()


@pytest.mark.parametrize(
    ("version", "suites", "groups", "accepted"),
    [
        (hello.TLS12, hello.GOOD, hello.GROUPS, True),
        (hello.TLS12, hello.WEAK, hello.GROUPS, False),
        (hello.TLS12, hello.GOOD, hello.WEAK_GROUPS, False),
        (hello.TLS11, hello.OLD, hello.GROUPS, False),
        (hello.TLS10, hello.OLD, hello.GROUPS, False),
    ],
)
def test_a_greeting_by_hand(server, version, suites, groups, accepted):
    answer = hello.ask("127.0.0.1", server, hello.greeting(version, suites, "here", groups))
    assert (answer is not None) == accepted
    if answer:
        assert answer["version"] == hello.TLS12
        assert answer["suite"] in hello.GOOD
        assert answer["compression"] == 0


def test_ports_from_here(server):
    assert outside.states("127.0.0.1", [server])[str(server)] == "open"
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert outside.states("127.0.0.1", [port])[str(port)] == "refused"
    assert outside.own_address("127.0.0.1") == "127.0.0.1"
    assert "error" in outside.front("127.0.0.1", {"443": "filtered"}, "here", "")


def test_postgresql_is_asked_by_its_own_names_in_its_own_database(monkeypatch):
    asked = []
    answer = '{"databases": {"filae": {"open": true}}}'
    monkeypatch.setattr(database, "command", lambda *argv, text: asked.append((*argv, text)) or answer)
    database.database({"database": {"name": "filae", "look": "SELECT roles", "excess": "SELECT rights"}})
    assert [each[each.index("-d") + 1].split()[0] for each in asked] == [
        "dbname=postgres", "dbname=filae", "dbname=postgres",
    ]  # fmt: skip
    for each in asked:
        where = each[each.index("-d") + 1]
        assert "-c search_path=pg_catalog,pg_temp -c statement_timeout=5s " in where
        assert "-c role=none " in where
    assert "SELECT rights" in asked[1][-1]


def test_a_database_that_lets_nobody_in_hides_nothing_of_the_server(monkeypatch):
    answer = '{"databases": {"filae": {"open": false}}}'
    monkeypatch.setattr(database, "command", lambda *argv, text: answer)
    found = database.database({"database": {"name": "filae", "look": "SELECT roles", "excess": "SELECT rights"}})
    assert (found["inside"], found["known"]["databases"]) == ({}, {"filae": {"open": False}})
