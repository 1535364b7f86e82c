"""What `status` and `journal` say when the agent could not answer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from filae_ops.cli import release
from filae_ops.errors import OpsError
from filae_ops.release import AGENT, ask
from filae_ops.remote import Answer

HOST = SimpleNamespace(name="v1")


@pytest.mark.parametrize("as_json", [False, True])
def test_no_answer_is_no_empty_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    said = "filaectl: /etc/filae/agent.json is absent\n  who acts: provider\n  next: filae-ops provision\n"

    @contextlib.contextmanager
    def connect(*_: object) -> Iterator[Any]:
        yield SimpleNamespace(host=HOST, run=lambda argv, **_: Answer(1, "", said))

    monkeypatch.setattr("filae_ops.inventory.load.load", lambda _: SimpleNamespace(hosts={"v1": HOST}))
    monkeypatch.setattr("filae_ops.remote.connect", connect)
    monkeypatch.setattr(release, "inventory_of", lambda _: None)
    with pytest.raises(OpsError, match=r"v1: filaectl: /etc/filae/agent\.json is absent") as error:
        release._each(None, None, None, ["journal"], as_json)  # type: ignore[arg-type]
    assert error.value.next_step == "filae-ops provision"
    assert capsys.readouterr().out == ""


def test_sudo_is_asked_in_the_language_in_which_it_is_read() -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], **_: object) -> Answer:
        asked.append(argv)
        return Answer(1, "", "sudo: a password is required")

    with pytest.raises(OpsError, match="no sudo"):
        ask(SimpleNamespace(host=HOST, run=run), "status")  # type: ignore[arg-type]
    assert asked == [[*AGENT, "status"]]
    assert AGENT[:2] == ("env", "LC_ALL=C.UTF-8")
