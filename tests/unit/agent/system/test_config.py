"""agent.json is read again as if nobody had checked it: what is wrong is named with its file and its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import machine_at

from filae_ops.agent.system.config import ENVIRONMENTS, TIMINGS, agent_config
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.plain_text import one_line
from filae_ops.inventory.model.application import Timings
from filae_ops.vocabulary import Environment

WINDOW = {"days": ["mon"], "start": "12:00", "minutes": 60}


def refused(tmp_path: Path, **changes: Any) -> str:
    machine, _ = machine_at(tmp_path, **changes)
    with pytest.raises(Refused) as caught:
        agent_config(machine.layout)
    assert caught.value.message.startswith(f"{machine.layout.agent_config}: ")
    assert caught.value.next_step == "filae-ops provision"
    assert one_line(caught.value.message)
    return caught.value.message


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("environment", ["", "Production", "production\n", None, 1, ["demo"], "x"]),
        (
            "public_name",
            ["", "filae.test\n127.0.0.1 mirror", "filae.test\r\nX: y", "a b", "A.test", "a..b", ".", "-a.test", "a%0a",
             "fe80::1%eth0\nx", "x" * 254, None, 7, ["a"], "a_b", "user@a", "a/b", "a:443"],
        ),
        ("ca_file", ["", "ca.pem", "/etc/../\nx", "/a b", "/", "//a", "/a\n", "/a\0", "/%n", "/$x", None, 1]),
        ("keep_releases", [0, 1, 51, -1, True, "3", 3.0, None, 10**30]),
        ("timings", [None, [], "x", {"soaking": 1}, {"x\ny": 1}]),
        ("timings.soak", [0, -1, 86401, True, "3", None, float("nan"), float("inf"), [1], 10**400]),
        ("maintenance_window", [{**WINDOW, "minutes": value} for value in (0, 1441, 10**12, True, "5", None, 1.5)]),
        ("maintenance_window", [{**WINDOW, "start": value} for value in (None, 1, "x\ny", "25:00")]),
        ("maintenance_window", [{**WINDOW, "days": value} for value in (None, 1, [], ["x"], [[]])]),
    ],
)  # fmt: skip
def test_a_value_that_provisioning_never_wrote_is_refused(tmp_path: Path, key: str, values: list[Any]) -> None:
    for number, value in enumerate(values):
        name, _, inside = key.partition(".")
        message = refused(tmp_path / str(number), **{name: {inside: value} if inside else value})
        assert f": {key}: " in message, value


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "", "x\0", 1, None, ["UTC"]])
def test_a_zone_that_is_none_is_refused(tmp_path: Path, zone: Any) -> None:
    assert ": maintenance_window: " in refused(tmp_path, maintenance_window=WINDOW, timezone=zone)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, '{"environment": "demo"}'])
def test_a_file_that_holds_no_settings_is_refused(tmp_path: Path, text: str) -> None:
    machine, _ = machine_at(tmp_path)
    machine.layout.agent_config.write_text(text)
    with pytest.raises(Refused) as caught:
        agent_config(machine.layout)
    assert str(machine.layout.agent_config) in caught.value.message
    assert caught.value.next_step == "filae-ops provision"


@pytest.mark.parametrize("name", ["filae.test", "filae", "a-1.example", "192.0.2.7", "2001:db8::7"])
def test_what_provisioning_writes_is_read(tmp_path: Path, name: str) -> None:
    machine, _ = machine_at(tmp_path, public_name=name, keep_releases=50, timings={"soak": 86400, "settle": 0.2})
    config = machine.config
    assert (config.public_name, config.keep_releases) == (name, 50)
    assert (config.timings["soak"], config.timings["settle"], config.timings["start"]) == (86400.0, 0.2, 90.0)
    assert json.loads(machine.layout.agent_config.read_text())["environment"] == config.environment


def test_the_inventory_declares_the_same_waits_and_environments() -> None:
    assert set(Timings.model_fields) == set(TIMINGS)
    assert Environment.__args__ == ENVIRONMENTS  # type: ignore[attr-defined]
