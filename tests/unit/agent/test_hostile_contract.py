"""Each text of a contract, and each name in it, with each text that it should not hold: refused, or one value.

What the rules take is written as the machine writes it: units, command lines, nginx's include, SQL. Then the writers
are given a contract that nobody checked: each refuses by itself what its grammar cannot hold.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from material.agent.databases import Server, machine_with
from material.agent.fakes import CONTRACT
from material.hostile import HOSTILE, leaves, replaced, skeleton

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.bundle.contract_rules import contract_problem
from filae_ops.agent.database import application_database
from filae_ops.agent.frontdoor import site_include
from filae_ops.agent.release import apt
from filae_ops.agent.runtime import launcher, unit_control, unit_text
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.plain_text import one_line
from filae_ops.agent.system.process import Failed

WHOLE: dict[str, Any] = {
    **CONTRACT,
    "files_check": {"command": ["bin/files"]},
    "client": {"directory": "public", "otherwise": "index.html", "hashed": ["assets"], "max_body": "20m"},
}
# Mappings whose keys the release chooses.
NAMED = (("env",), ("settings",), ("secrets",), ("processes",), ("timers",))
Place = tuple[Any, ...]


def named(place: Place, text: str) -> dict[str, Any]:
    """Return the contract with the first key of a mapping replaced by a text."""

    def change(mapping: dict[str, Any]) -> dict[str, Any]:
        (first, value), *others = mapping.items()
        return {**dict(others), text: value, **({first: value} if first == "web" else {})}

    return dict(replaced(WHOLE, place, change))


def contracts(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the contract with a text in each place in turn."""
    for place in leaves(WHOLE):
        yield ".".join(map(str, place)), replaced(WHOLE, place, lambda _: text)
    for place in NAMED:
        yield f"a name of {place[0]}", named(place, text)


def units(contract: Contract) -> str:
    """Return the keys of every line of its units: systemd takes what follows `=` as one value."""
    layout = Layout()
    processes = ["web", *contract.workers, *(f"timer:{name}" for name in contract.timers), "setup", "migrate"]
    texts = [unit_text.release_dropin(layout, contract, process, start=90, pin=True) for process in processes]
    texts += [unit_control.worker(process, "blue") for process in contract.workers]
    texts += [unit_text.timer_unit(name, str(timer["calendar"])) for name, timer in contract.timers.items()]
    return "\n".join(re.sub("=.*", "=", line) for line in "\n".join(texts).split("\n"))


def command_lines(contract: Contract) -> str:
    """Return the shape of what root runs for a release: the number of words, and what begins each property."""
    argv = unit_text.oneoff_argv(
        "setup", ["/x"], user="filae", env=launcher.constants(contract),
        properties=unit_text.process_properties(Layout(), contract, "setup"),
    )  # fmt: skip
    settings = launcher.declared_settings(contract, {"SMTP_HOST": "relay"})
    return "\n".join([str(len(argv)), str(len(settings)), str(len(apt.required(contract)))])


def include(contract: Contract) -> str:
    return site_include.server(Layout(), contract)


@pytest.fixture
def sinks(tmp_path: Path) -> dict[str, Callable[[Contract], str]]:
    machine, runner = machine_with(tmp_path, Server())

    def database(contract: Contract) -> str:
        runner.stdins.clear()
        application_database.ensure(machine, contract)
        return "\n".join(filter(None, runner.stdins))

    return {"units": units, "command lines": command_lines, "nginx": include, "SQL": database}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_rules_refuse_it_or_every_writer_carries_one_value(
    hostile: str, sinks: dict[str, Callable[[Contract], str]]
) -> None:
    expected = {name: skeleton(write(Contract(WHOLE))) for name, write in sinks.items()}
    for place, contract in contracts(HOSTILE[hostile]):
        if not contract_problem(contract):
            assert one_line(HOSTILE[hostile]), place
            written = {name: skeleton(write(Contract(contract))) for name, write in sinks.items()}
            assert written == expected, place


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_writer_refuses_by_itself_what_nobody_checked(
    hostile: str, sinks: dict[str, Callable[[Contract], str]]
) -> None:
    """As if a contract had come past the rules: none of its texts may become a line or a word more."""
    expected = {name: skeleton(write(Contract(WHOLE))) for name, write in sinks.items()}
    for place, contract in contracts(HOSTILE[hostile]):
        for name, write in sinks.items():
            try:
                written = write(Contract(contract))
            except (Refused, Failed):
                continue
            more = Counter(skeleton(written).splitlines()) - Counter(expected[name].splitlines())
            assert not more, f"{name}: {place}"


def test_the_whole_contract_is_good() -> None:
    assert not contract_problem(WHOLE)
    assert len([*leaves(WHOLE)]) >= 40
