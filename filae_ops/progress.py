"""Live progress of a long run on stderr: one moving line on a terminal, one line per task elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.status import Status


class Progress:
    """Shows the task that runs; changed and failed tasks stay on the screen."""

    def __init__(self, console: Console, title: str) -> None:
        self.console = console
        self.title = title
        self.started = time.monotonic()
        self.status: Status | None = None

    def __enter__(self) -> Progress:
        """Start the moving line, or print the title where nothing can move."""
        if self.console.is_terminal:
            self.status = self.console.status(self.title)
            self.status.start()
        else:
            self.console.print(self.title, markup=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the moving line."""
        if self.status is not None:
            self.status.stop()

    def event(self, event: dict[str, Any]) -> None:
        """Show one event of the run."""
        elapsed = time.monotonic() - self.started
        if event.get("event") == "task" and event["counted"] and self.status is not None:
            self.status.update(f"{self.title}: {event['name']} ({elapsed:.0f} s)")
        if event.get("event") == "result" and event["changed"]:
            self.console.print(f"  {elapsed:5.0f} s  {event['host']}  {event['task']}", markup=False, soft_wrap=True)
