"""The gathering: it travels as one script, and breaks part by part."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
import time

import pytest

from filae_ops.facts import database, gathering, mounts, network, system, units
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


@pytest.mark.parametrize(
    ("answer", "held"), [("FATAL:  sorry, too many clients already", True), ("FATAL:  starting up", False)]
)
def test_a_postgresql_whose_connections_the_application_holds_is_told_apart(monkeypatch, answer, held):
    def refused(*argv, text):
        raise gathering.Unmeasured(f"runuser ended with status 2: psql: error: {answer}")

    monkeypatch.setattr(database, "command", refused)
    asked = {"name": "filae", "look": "SELECT", "excess": "SELECT", "no_connection_left": ["too many clients"]}
    if held:
        assert database.database({"database": asked}) == {"connections_held": True}
        return
    with pytest.raises(gathering.Unmeasured, match="starting up"):
        database.database({"database": asked})
