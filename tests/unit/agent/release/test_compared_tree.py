"""What became of the trees of the kept releases: each difference is told, and nothing unread is called good."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from material.agent.placed_machine import COLOUR, deployed, differences, machine_of_two_releases

from filae_ops.agent.commands import placed
from filae_ops.agent.release import compared_tree
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return machine_of_two_releases(tmp_path)


def compared(machine: Machine, version: str = "2.1.0") -> dict[str, Any]:
    return next(each for each in placed.placed(machine)["releases"] if each["version"] == version)


def test_the_live_release_comes_first_and_is_as_it_was_deployed(machine: Machine) -> None:
    found = placed.placed(machine)["releases"]
    assert [each["version"] for each in found] == ["2.1.0", "2.0.0"]
    for each in found:
        assert (each["complete"], each["problem"]) == (True, "")
        assert differences(each) == {"changed": {}, "missing": {}, "added": {}}


def test_each_thing_that_is_not_as_deployed_is_told(machine: Machine) -> None:
    tree = machine.layout.release("2.1.0")
    (tree / "public").rmdir()
    (tree / "more").mkdir()
    (tree / "more/inner.rb").write_text("")
    (tree / "storage").unlink()
    (tree / "log").unlink()
    (tree / "log").symlink_to("/etc")
    tree.chmod(0o777)
    assert differences(compared(machine)) == {
        "changed": {".": "has mode 0777 instead of 0755", "log": "is not the link that the agent makes"},
        "missing": {"public": "is missing", "storage": "is missing"},
        "added": {"more": "is not in the manifest"},
    }


def test_a_lock_and_a_manifest_are_those_that_the_agent_recorded(machine: Machine) -> None:
    tree, layout = machine.layout.release("2.1.0"), machine.layout
    (tree / "Gemfile.lock").write_text("GEM")
    durable.directory(layout.state / "locks", 0o700)
    recorded = {"absent": [], "sha256": hashlib.sha256(b"GEM").hexdigest()}
    durable.write(layout.state / "locks/2.1.0.json", json.dumps(recorded))
    deployed(machine, "2.1.0", COLOUR, manifest=hashlib.sha256((tree / "MANIFEST.json").read_bytes()).hexdigest())
    assert differences(compared(machine)) == {"changed": {}, "missing": {}, "added": {}}
    for name in ("Gemfile.lock", "MANIFEST.json"):
        (tree / name).write_text((tree / name).read_text() + "\n")
    other = "has other content"
    assert differences(compared(machine))["changed"] == {"Gemfile.lock": other, "MANIFEST.json": other}
    (tree / "Gemfile.lock").unlink()
    assert differences(compared(machine))["missing"] == {"Gemfile.lock": "is missing"}


def test_lists_are_bounded_and_counted(machine: Machine) -> None:
    tree = machine.layout.release("2.1.0")
    for number in range(compared_tree.LISTED + 50):
        (tree / f"{number}-{'x' * 200}").touch()
    found = compared(machine)["added"]
    assert (found["count"], len(found["first"])) == (compared_tree.LISTED + 50, compared_tree.LISTED)


def test_what_there_was_no_time_for_is_not_called_good(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placed, "SECONDS", -1)
    assert {each["complete"] for each in placed.placed(machine)["releases"]} == {False}


def test_a_release_that_cannot_be_read_is_told(machine: Machine) -> None:
    (machine.layout.release("2.1.0") / "MANIFEST.json").write_text("{}")
    found = placed.placed(machine)
    assert "MANIFEST.json" in found["problem"]
    assert "MANIFEST.json" in found["releases"][0]["problem"]
    assert found["releases"][1]["problem"] == ""
