"""Each check of what decides on a machine names what it sees, and says who mends it, and how."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from material.causes.accounted import FAULTS, HEALTHY, PLACED, changed
from material.host_checks import everything_said

from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.paths import data_path
from filae_ops.verification import verify
from filae_ops.verification.pytest_run import HostChecks


def groups() -> list[list[str]]:
    """Share the faults out so that no check sees two: a run costs as many machines as are judged in it."""
    made: list[list[str]] = []
    for fault, (_, name, _, _) in FAULTS.items():
        free = next((each for each in made if name not in {FAULTS[other][1] for other in each}), None)
        made.append([fault]) if free is None else free.append(fault)
    return made


def combined(faults: list[str]) -> dict[str, Any]:
    """Return the facts of a machine that has several faults."""
    every: dict[str, Any] = {}
    for patch, *_ in (FAULTS[fault] for fault in faults):
        for part, value in patch.items():
            base = every.get(part, HEALTHY[part])
            if part == "decisive":
                new = {row["path"]: row for row in value["rows"] if row not in HEALTHY[part]["rows"]}
                known = {row["path"]: row for row in base["rows"]}
                every[part] = {**base, "rows": list((known | new).values())}
            elif isinstance(value, dict):
                every[part] = base | {key: each for key, each in value.items() if each != HEALTHY[part][key]}
            else:
                every[part] = value
    return every


GROUPS = {f"group{number}": faults for number, faults in enumerate(groups())}
MACHINES: dict[str, dict[str, Any]] = {
    "healthy": {},
    "busy": changed("placed", busy="deploy 2.1.0"),
    **{name: combined(faults) for name, faults in GROUPS.items()},
}
MINE = (
    "known-",
    "placed-",
    "packages-intact",
    "packages-whole",
    "packages-known",
    "release-",
    "settings-",
    "files-protected",
)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Judge every machine in one run; return the verdicts of these checks by machine and id."""
    directory = tmp_path_factory.mktemp("verify")
    inventory = load(data_path("inventories", "demo"), reader=lambda path: read(path).hostvars())
    content = inventory.model_dump(mode="json", by_alias=True)
    host = next(iter(content["hosts"].values()))
    content["hosts"] = {name: {**host, "name": name} for name in MACHINES}
    seen = {"outside": {}, "placed": {path: asdict(each) for path, each in PLACED.items()}}
    hosts = {
        name: {"facts": {part: {"value": value} for part, value in (HEALTHY | facts).items()}, **seen}
        for name, facts in MACHINES.items()
    }
    context = {"inventory": content, "hosts": hosts, "ssh_config": str(directory / "none")}
    with HostChecks(directory) as checks:
        found = verify.verdicts(checks.judge(json.loads(json.dumps(context))))
    return {(each.host, name): each for each in found if (name := each.id.partition(":")[2]).startswith(MINE)}


def failing(verdicts, machine: str) -> dict[str, Any]:
    return {name: each for (host, name), each in verdicts.items() if host == machine and each.status == "fail"}


def test_a_healthy_machine_passes(verdicts):
    mine = {name: each.status for (host, name), each in verdicts.items() if host == "healthy"}
    assert set(mine.values()) == {"pass"}, {name: status for name, status in mine.items() if status != "pass"}
    assert len(mine) > 24


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_turns_its_check_red(verdicts, fault):
    _, name, message, step = FAULTS[fault]
    machine = next(group for group, faults in GROUPS.items() if fault in faults)
    verdict = failing(verdicts, machine)[name]
    assert message in verdict.message
    assert step in verdict.next
    assert verdict.owner == "provider"


@pytest.mark.parametrize("group", GROUPS)
def test_faults_turn_no_other_check_red(verdicts, group):
    assert set(failing(verdicts, group)) == {FAULTS[fault][1] for fault in GROUPS[group]}


def test_each_cause_that_these_checks_can_tell_is_tried(verdicts):
    said = [each for each in everything_said() if each.how == "broken" and each.place.startswith("test_accounted.py")]
    told = {(name, each.code) for (_, name), each in verdicts.items() if each.status == "fail"}
    assert {(each.check, each.code) for each in said} - told == set()


def test_while_a_transaction_places_files_nothing_is_judged_of_them(verdicts):
    assert verdicts["busy", "placed-agent"].status == verdicts["busy", "known-sudo"].status == "not_run"
