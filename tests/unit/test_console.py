"""What is printed is shown, not obeyed; rich's own colours and moves stay, and nothing is printed but through here."""

from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from architecture import PACKAGE, files
from rich.table import Table

from filae_ops import console as printing
from filae_ops.console import Console, Text
from filae_ops.remote.progress import Progress, Rollout

HOSTILE = "a\x1b[2K\x1b[1A\x9b2K\x07\u202eb"
SPELT = r"a\u001b[2K\u001b[1A\u009b2K\u0007\u202eb"


def cells(*texts: str | Text) -> Table:
    table = Table(box=None)
    table.add_row(*texts)
    return table


@pytest.mark.parametrize(
    "shown",
    [HOSTILE, Text(HOSTILE), cells(HOSTILE), cells(Text(HOSTILE)), Text.assemble("", (HOSTILE, "bold"))],
    ids=["text", "styled text", "cell", "styled cell", "part of a text"],
)
@pytest.mark.parametrize("terminal", [False, True], ids=["file", "terminal"])
def test_text_is_shown_and_not_obeyed(shown: Any, terminal: bool) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    console.print(shown)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert SPELT in text
    assert "\x9b" not in text
    assert text.replace("\x1b[1m", "").replace("\x1b[0m", "").count("\x1b") == 0


def test_colours_are_rich_s_own() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.assemble(("FAIL", "red"), " [green]pass[/green] :warning:"))
    assert console.file.getvalue() == "\x1b[31mFAIL\x1b[0m [green]pass[/green] :warning:\n"  # type: ignore[attr-defined]


def test_a_cell_is_laid_out_as_long_as_it_is_shown() -> None:
    console = Console(file=io.StringIO(), width=20)
    console.print(cells("\x1b" * 30, "after"))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, lines)) <= 20


def provisioning(console: Console) -> None:
    with Progress(console, HOSTILE) as progress:
        progress.event({"event": "task", "counted": True, "name": HOSTILE})
        progress.event({"event": "result", "changed": True, "host": "v1", "task": HOSTILE})


def updating(console: Console) -> None:
    with Rollout(console, [HOSTILE, "[/]"]) as progress:
        progress.begin("[/]")
        progress.event("[/]", {"event": "step", "step": f"[conceal]{HOSTILE}"})
        progress.event("[/]", {"event": "mode", "message": HOSTILE})
        progress.event("[/]", {"event": "failed", "time": "", "step": "start", "reason": HOSTILE})


@pytest.mark.parametrize("run", [provisioning, updating])
def test_moving_lines_move_by_rich_alone(run: Callable[[Console], None], monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=200)
    streams = sys.stdout, sys.stderr
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", streams[0])
        run(console)
        assert (sys.stdout, sys.stderr) == streams
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert SPELT in text
    assert "\x1b[2K" in text, "rich clears the line that moves"
    assert "a\x1b" not in text
    assert not {"\x9b", "\x07", "\u202e"} & set(text)


def test_colours_go_past_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    printing.guard()
    Console(force_terminal=True, color_system="standard").print(HOSTILE, style="red")
    assert stream.getvalue() == f"\x1b[31m{SPELT}\x1b[0m\n"


def test_json_reads_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    printing.guard()
    document = {HOSTILE: [HOSTILE, "\udc9b", "\\", "élève"]}
    printing.print_json(document)
    assert json.loads(stream.getvalue()) == document
    assert stream.getvalue().replace("\n", "").isprintable()


PROGRAMS = ("agent/", "facts/", "playbook/callbacks/", "lab/hospital_services.py",
            "inventory/reading/ansible_pool_server.py")  # fmt: skip
"""What runs by itself: filaectl, and what speaks to another program alone."""
STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")


def printed(source: str) -> Iterator[str]:
    """Yield what prints by other ways than those of console.py."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id="print" | "pprint"):
                yield f"{node.lineno}: print"
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in STREAMS:
                yield f"{node.lineno}: sys.{name}"
            case ast.Attribute(attr="echo" | "secho") | ast.Name(id="echo" | "secho"):
                yield f"{node.lineno}: echo"
            case ast.ImportFrom(module="sys", names=names) if {each.name for each in names} & {*STREAMS}:
                yield f"{node.lineno}: from sys"
            case ast.ImportFrom(module="rich.text" | "rich.console", names=names) if {"Text", "Console"} & {
                each.name for each in names
            }:
                yield f"{node.lineno}: rich's own"
            case ast.Call(func=ast.Attribute(attr="Console" | "get_console")):
                yield f"{node.lineno}: a console of its own"


def test_everything_is_printed_through_the_console() -> None:
    wrong = [
        f"filae_ops/{path}:{line}; use filae_ops/console.py"
        for path in files()
        if path != "console.py" and not path.startswith(PROGRAMS)
        for line in printed((PACKAGE / path).read_text())
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    "source",
    [
        "print('a')", "Remote.follow(words, print)", "import typer\ntyper.echo('a')", "click.secho('a', err=True)",
        "import sys\nsys.stdout.write('a')", "sys.stderr.flush()", "from sys import stderr",
        "from rich.console import Console", "from rich.text import Text",
        "rich.console.Console().print('a')", "rich.get_console().print('a')",
    ],
)  # fmt: skip
def test_another_way_is_refused(source: str) -> None:
    assert list(printed(source))


@pytest.mark.parametrize("source", ["out.print('a')", "sys.stdin.isatty()", "done.stdout", "say('print')"])
def test_the_console_s_own_ways_are_not(source: str) -> None:
    assert not list(printed(source))
