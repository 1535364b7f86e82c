"""The one base class of expected errors; the command line is their one boundary."""

from __future__ import annotations

from typing import Literal

Owner = Literal["dsi", "provider", "host", "dpo", "shared"]
INTERRUPTED = 130  # what a shell gives for SIGINT


class OpsError(Exception):
    """What failed and with which value, who must act, and the next command.

    `message` names the failure and the value; `owner` says who acts (the register's owners);
    `next_step` is a command or a gesture. `exit_code`: 1 refused or failed, 2 wrong usage.
    """

    def __init__(self, message: str, *, owner: Owner = "provider", next_step: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.owner = owner
        self.next_step = next_step
        self.exit_code = exit_code

    def __str__(self) -> str:
        """Return the whole message as the person reads it."""
        text = f"{self.args[0]}\n  who acts: {self.owner}"
        return f"{text}\n  next: {self.next_step}" if self.next_step else text
