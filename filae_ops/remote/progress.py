"""Live progress of a long run on stderr: moving lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from filae_ops.agent.transaction.wording import line as words
from filae_ops.console import Console, Text


def moving_lines(console: Console, shown: Callable[[], RenderableType], *, transient: bool = False) -> Live:
    """Start lines that move until they are stopped.

    What else is printed meanwhile is not given to rich: it would obey the colours of any text.
    """
    live = Live(
        get_renderable=shown, console=console, transient=transient, redirect_stdout=False, redirect_stderr=False
    )
    live.start()
    return live


class Progress:
    """Shows the task that runs; changed and failed tasks stay on the screen."""

    def __init__(self, console: Console, title: str) -> None:
        self.console = console
        self.title = title
        self.started = time.monotonic()
        self.spinner = Spinner("dots", Text(title), style="status.spinner")
        self.live: Live | None = None

    def __enter__(self) -> Progress:
        """Start the moving line, or print the title where nothing can move."""
        if self.console.is_terminal:
            self.live = moving_lines(self.console, lambda: self.spinner, transient=True)
        else:
            self.console.print(self.title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the moving line."""
        if self.live is not None:
            self.live.stop()

    def event(self, event: dict[str, Any]) -> None:
        """Show one event of the run."""
        elapsed = time.monotonic() - self.started
        if event.get("event") == "task" and event["counted"]:
            self.spinner.update(text=Text(f"{self.title}: {event['name']} ({elapsed:.0f} s)"))
        if event.get("event") == "result" and event["changed"]:
            self.console.print(f"  {elapsed:5.0f} s  {event['host']}  {event['task']}", soft_wrap=True)


@dataclass
class Row:
    """Where one machine is."""

    state: str = "waiting"
    mark: str = " "
    started: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> str:
        """Return how long it has been worked on."""
        if not self.started:
            return ""
        return f"{(self.ended or time.monotonic()) - self.started:.0f} s"


class Rollout:
    """One line for each machine that is worked on; what happened there stays above."""

    def __init__(self, console: Console, labels: Sequence[str]) -> None:
        self.console = console
        self.rows = {label: Row() for label in labels}
        self.live: Live | None = None

    def __enter__(self) -> Rollout:
        """Start the moving lines, where lines can move."""
        if self.console.is_terminal:
            self.live = moving_lines(self.console, self.table)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the moving lines; they stay as they are."""
        if self.live is not None:
            self.live.stop()

    def table(self) -> Table:
        """Return a line for each machine."""
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=30)
        table.add_column(no_wrap=True, overflow="ellipsis")
        table.add_column(no_wrap=True, justify="right")
        for label, row in self.rows.items():
            table.add_row(row.mark, label, row.state, row.seconds)
        return table

    def begin(self, label: str) -> None:
        """Say that a machine's turn has come."""
        self.rows[label].started, self.rows[label].mark = time.monotonic(), ">"
        self.state(label, "connecting")

    def state(self, label: str, what: str) -> None:
        """Say what is being done on a machine."""
        self.rows[label].state = what
        if self.live is None:
            self._print(label, what)

    def event(self, label: str, event: dict[str, Any]) -> None:
        """Show an event of a transaction; a step that begins shows in the machine's line alone."""
        if event.get("event") == "step":
            self.rows[label].state = str(event.get("step"))
        if event.get("event") == "mode":
            self._print(label, str(event.get("message")))
        elif "time" in event and (text := words(event)):
            self._print(label, text)

    def end(self, label: str, how: str, *, good: bool) -> None:
        """Say how it ended on a machine."""
        row = self.rows[label]
        row.ended, row.mark, row.state = time.monotonic(), "+" if good else "x", how
        if self.live is None and len(self.rows) > 1:
            self._print(label, f"{how} ({row.seconds})")

    def _print(self, label: str, text: str) -> None:
        prefix = f"{label}: " if len(self.rows) > 1 else ""
        self.console.print(f"{prefix}{text}", soft_wrap=True)
