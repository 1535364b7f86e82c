"""What is asked of the agent of each machine, and what is said of its answer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from filae_ops.cli import maintenance, status
from filae_ops.errors import OpsError
from filae_ops.remote.connection import Answer
from filae_ops.remote.filaectl import AGENT
from filae_ops.remote.rollout import Target

NOBODY: Any = None  # the context, which the replaced `targets_of` does not look at


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Answer) -> list[list[str]]:
    """Have machines v1, v2… answer in turn; return what they are asked."""
    asked: list[list[str]] = []
    waiting = iter(answers)

    @contextlib.contextmanager
    def connect(host: Any, _: object) -> Iterator[Any]:
        def run(argv: list[str], **options: Any) -> Answer:
            asked.append([*argv, *([options["stdin"].read().decode()] if options.get("stdin") else [])])
            return next(waiting)

        yield SimpleNamespace(host=host, run=run)

    hosts = [SimpleNamespace(name=f"v{number}") for number in range(1, len(answers) + 1)]
    found = [Target(host.name, host, Path("/site")) for host in hosts]  # type: ignore[arg-type]
    monkeypatch.setattr("filae_ops.remote.connection.connect", connect)
    monkeypatch.setattr(status, "targets_of", lambda _: found)
    monkeypatch.setattr(maintenance, "targets_of", lambda _: found)
    return asked


@pytest.mark.parametrize("as_json", [False, True])
def test_no_answer_is_no_empty_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    said = "filaectl: /etc/filae/agent.json is absent\n  who acts: provider\n  next: filae-ops provision\n"
    answering(monkeypatch, Answer(1, "", said))
    with pytest.raises(OpsError, match=r"v1: filaectl: /etc/filae/agent\.json is absent") as error:
        status.journal(NOBODY, as_json=as_json)
    assert error.value.next_step == "filae-ops provision"
    assert capsys.readouterr().out == ""


BEGIN = '{"event": "maintenance-on", "time": "2026-01-01T10:00:00", "by": "luc", "until": null}'


def test_journal_is_read_in_words_or_as_one_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, Answer(0, f"{BEGIN}\n{BEGIN}\n", ""))
    status.journal(NOBODY)
    assert capsys.readouterr().out == "[10:00:00] maintenance on by luc, until it is switched off\n" * 2
    answering(monkeypatch, Answer(0, f"{BEGIN}\n{BEGIN}\n", ""))
    status.journal(NOBODY, as_json=True)
    assert [each["by"] for each in json.loads(capsys.readouterr().out)] == ["luc", "luc"]


def test_the_journal_fits_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"event": "done", "time": "2026-01-01T10:00:00", "step": "packages", "seconds": 1, "installed": ["x"] * 99}
    answering(monkeypatch, Answer(0, json.dumps(event) + "\n", ""))
    status.journal(NOBODY)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_several_machines_give_a_map_or_titled_parts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = (Answer(0, "[]\n", ""), Answer(0, "[]\n", ""))
    answering(monkeypatch, *answers)
    status.releases(NOBODY, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"v1": [], "v2": []}
    answering(monkeypatch, *answers)
    status.releases(NOBODY)
    assert capsys.readouterr().out.split("\n\n")[1].startswith("v2\nno release is kept")


STATE = '{"maintenance": {"since": "10:00", "until": "12:00", "by": "luc", "message": "m"}}\n'


def test_the_page_s_text_goes_over_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = tmp_path / "page.txt"
    text.write_text("Procédure papier, armoire 3.")
    asked = answering(monkeypatch, Answer(0, STATE, ""))
    maintenance.on(NOBODY, message=text, until="12:00")
    words = ["maintenance", "on", "--message", "-", "--until", "12:00", "--json", "Procédure papier, armoire 3."]
    assert asked == [[*AGENT, *words]]
    assert "v1: maintenance on since 10:00 by luc; ends by itself at 12:00" in capsys.readouterr().out
    asked = answering(monkeypatch, Answer(0, '{"maintenance": null}\n', ""))
    maintenance.off(NOBODY)
    assert asked == [[*AGENT, "maintenance", "off", "--json"]]
    assert "v1: maintenance off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), (b"\xff", "not a text"), (b"x" * 70_000, "longer than 64 KiB")]
)
def test_a_page_that_is_no_text_is_refused_before_anything_is_asked(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "page").write_bytes(content)
    with pytest.raises(OpsError, match=said):
        maintenance.read_message(tmp_path / "page")


HOSTILE_ANSWERS = ["no JSON", "[" * 200_000, '"x"', "5", '{"version": 5, "last": []}', '[{"event": 5}]']


@pytest.mark.parametrize("command", [status.status, status.releases, status.journal])
@pytest.mark.parametrize("answer", HOSTILE_ANSWERS, ids=[answer[:12] for answer in HOSTILE_ANSWERS])
def test_an_answer_that_no_agent_gives_is_the_machine_s_doing(
    monkeypatch: pytest.MonkeyPatch, command: Any, answer: str
) -> None:
    answering(monkeypatch, Answer(0, answer, ""))
    with pytest.raises(OpsError, match="v1: the machine does not answer as its agent does"):
        command(NOBODY)
