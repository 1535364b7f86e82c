"""The declaration of what others put on a machine: few entries, in one order, and accepted by the inventory."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass

import pytest
import yaml
from material.hostile import HOSTILE
from material.inventories import DEMO, quick

from filae_ops.cli.doctor import show_lines
from filae_ops.deadlines.ends import Line
from filae_ops.doctor.declaration import as_rows, as_yaml, declaration, lines
from filae_ops.doctor.diagnosis import Diagnosis
from filae_ops.inventory.model.additions import overlaps


@dataclass(frozen=True)
class Leftover:
    name: str
    declare: dict[str, str] | None
    what: str = "nothing accounts for it"


def path(name: str) -> Leftover:
    return Leftover(name, {"path": name})


def entries(*leftovers: Leftover) -> list[tuple[str, str]]:
    return [(each.kind, each.name) for each in declaration(leftovers)]


FOUND = {
    "nothing": ([], []),
    "what no declaration accounts for": ([Leftover("/etc/shadow", None)], []),
    "a file": ([path("/etc/cron.d/veeam")], [("path", "/etc/cron.d/veeam")]),
    "files of a folder of everybody's": (
        [path("/etc/cron.d/veeam"), path("/etc/cron.d/agent"), path("/usr/local/bin/a"), path("/usr/local/bin/b")],
        [("path", "/etc/cron.d/agent"), ("path", "/etc/cron.d/veeam"), ("path", "/usr/local/bin/a"),
         ("path", "/usr/local/bin/b")],
    ),
    "files of an agent's own folder": (
        [path("/opt/falcon/bin/sensor"), path("/opt/falcon/lib/x/y.so")], [("path", "/opt/falcon")],
    ),
    "one file of an agent's folder": ([path("/opt/falcon/bin/sensor")], [("path", "/opt/falcon/bin/sensor")]),
    "an agent below /usr/local": (
        [path("/usr/local/qualys/a"), path("/usr/local/qualys/bin/b"), path("/usr/local/sbin/c")],
        [("path", "/usr/local/qualys"), ("path", "/usr/local/sbin/c")],
    ),
    "files of a folder that may be a package's": (
        [path("/usr/lib/cups/a"), path("/usr/lib/cups/b")], [("path", "/usr/lib/cups/a"), ("path", "/usr/lib/cups/b")],
    ),
    "a folder and what lies in it": ([path("/var/lib/veeam"), path("/var/lib/veeam/x")], [("path", "/var/lib/veeam")]),
    "a unit and its paths": (
        [Leftover("falcon.service", {"unit": "falcon.service"}), path("/etc/systemd/system/falcon.service"),
         path("/etc/systemd/system/falcon.service.d/10.conf"),
         path("/etc/systemd/system/multi-user.target.wants/falcon.service")],
        [("unit", "falcon.service")],
    ),
    "a unit's paths alone": (
        [path("/etc/systemd/system/multi-user.target.wants/falcon.service"),
         path("/etc/systemd/system/falcon.service")],
        [("unit", "falcon.service")],
    ),
    "a template and an instance": (
        [Leftover("scan@a.service", {"unit": "scan@a.service"}), path("/etc/systemd/system/scan@.service")],
        [("unit", "scan@.service")],
    ),
    "a fragment of a unit of Debian's": (
        [path("/etc/systemd/system/cups.service.d/x.conf")], [("path", "/etc/systemd/system/cups.service.d/x.conf")],
    ),
    "a unit of ours that somebody replaced": (
        [path("/etc/systemd/system/nginx.service")], [("path", "/etc/systemd/system/nginx.service")],
    ),
    "files of one package": (
        [Leftover("/usr/bin/veeam", {"package": "veeam"}), Leftover("/usr/lib/veeam/x", {"package": "veeam"}),
         Leftover("/etc/cron.d/v", {"path": "/etc/cron.d/v", "package": "veeam"})],
        [("package", "veeam")],
    ),
    "an account and a table": (
        [Leftover("inet f2b", {"nft_table": "inet f2b"}), Leftover("falcon", {"account": "falcon"})],
        [("account", "falcon"), ("nft_table", "inet f2b")],
    ),
    "what the inventory would refuse": (
        [path("/etc/filae/x"), path("/etc/sudoers.d"), path("/opt/a b"), Leftover("www-data", {"account": "www-data"})],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_what_is_left_becomes_few_entries(case):
    found, expected = FOUND[case]
    assert entries(*found) == expected


EVERYTHING = [each for found, _ in FOUND.values() for each in found]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_does_not_depend_on_the_machine(seed):
    shuffled = list(EVERYTHING)
    random.Random(seed).shuffle(shuffled)
    assert declaration(shuffled) == declaration(EVERYTHING)
    assert list(overlaps(declaration(EVERYTHING))) == []


def test_it_pastes_below_machine_and_loads_once_its_purposes_are_written(tmp_path):
    text = as_yaml(declaration(EVERYTHING))
    assert text.startswith("        additions:\n          - package: veeam\n            purpose: a-renseigner\n")
    site = shutil.copytree(DEMO, tmp_path / "site")
    last = '          version: "13"\n'
    hosts = (site / "hosts.yml").read_text()
    assert hosts.endswith(last), "`os` is the last key of the machine"
    (site / "hosts.yml").write_text(hosts + text.replace("a-renseigner", "agent"))
    (host,) = quick(site).hosts.values()
    assert [(each.kind, each.name) for each in host.machine.additions] == entries(*EVERYTHING)
    assert {each.owner for each in host.machine.additions} == {"dsi"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_name_chosen_by_a_stranger_is_one_value_or_left_out(hostile):
    name = HOSTILE[hostile]
    found = [Leftover(name, {kind: value}) for kind in ("path", "unit", "package", "account", "nft_table")
             for value in (name, f"/opt/{name}", f"{name}.service", f"inet {name}")]  # fmt: skip
    made = declaration(found)
    assert yaml.safe_load(as_yaml(made)) == {"additions": as_rows(made)}


def test_each_line_is_a_warning_with_what_to_do():
    agent, odd, barred = path("/opt/agent"), path("/opt/a b"), Leftover("/etc/shadow", None, "another owner")
    shown = list(lines([agent, odd, barred]))
    assert {(line.status, line.owner, line.id) for line in shown} == {("warn", "dsi", "addition")}
    assert [line.next for line in shown] == [
        "declare it in hosts.yml, by the entries given here, or remove it",
        "find who put or changed it and have it undone, or renamed: no declaration names it so",
        "find who put or changed it and have it undone, or renamed: no declaration names it so",
    ]
    assert shown[2].message == "nothing accounts for /etc/shadow"


def test_doctor_shows_it_and_a_delivered_machine_is_not_refused_for_an_agent(capsys):
    found = [path("/etc/cron.d/veeam")]
    diagnosis = Diagnosis(tuple(lines(found)), {"filae-prod": declaration(found), "filae-two": ()})
    assert diagnosis.ok
    assert json.loads(json.dumps(diagnosis.document()))["additions"] == [
        {"machine": "filae-prod", "path": "/etc/cron.d/veeam", "purpose": "a-renseigner", "owner": "dsi"}
    ]
    show_lines(diagnosis)
    shown = capsys.readouterr().out
    assert "        additions:\n          - path: /etc/cron.d/veeam\n            purpose: a-renseigner\n" in shown
    assert "machine:` of filae-prod" in shown.replace("\n", " ")
    assert "filae-two" not in shown
    show_lines(Diagnosis((Line("a", "dsi", "go", "x"),)))
    assert "additions" not in capsys.readouterr().out
