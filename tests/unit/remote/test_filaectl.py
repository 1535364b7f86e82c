"""What the agent is asked, and how its refusals are told here."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from filae_ops.errors import OpsError
from filae_ops.remote.connection import Answer
from filae_ops.remote.filaectl import AGENT, ask, from_here

HOST = SimpleNamespace(name="v1")


@pytest.mark.parametrize(
    ("step", "here"),
    [
        ("filaectl status", "filae-ops -i INVENTORY status"),
        ("filaectl rollback VERSION", "filae-ops -i INVENTORY rollback VERSION"),
        ("filaectl recover --retry", "on the machine: sudo filaectl recover --retry"),
        ("build it again", "build it again"),
    ],
)
def test_the_agents_next_step_is_given_as_it_is_typed_here(step: str, here: str) -> None:
    assert from_here(step) == here


def test_sudo_is_asked_in_the_language_in_which_it_is_read() -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], **_: object) -> Answer:
        asked.append(argv)
        return Answer(1, "", "sudo: a password is required")

    with pytest.raises(OpsError, match="no sudo"):
        ask(SimpleNamespace(host=HOST, run=run), "status")  # type: ignore[arg-type]
    assert asked == [[*AGENT, "status"]]
    assert AGENT[:2] == ("env", "LC_ALL=C.UTF-8")
