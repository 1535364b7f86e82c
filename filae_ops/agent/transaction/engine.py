"""Run steps with the journal ahead of each, undo them on failure, and recover from the journal alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction.journal import Event

MAX_TRIES = 3
Write = Callable[..., Any]


class Step(Protocol):
    """One named step; `do` and `undo` may be repeated, also after being cut anywhere."""

    name: str

    def do(self) -> Mapping[str, Any] | None:
        """Bring the step's outcome about; what is returned goes to the journal."""

    def undo(self) -> Mapping[str, Any] | None:
        """Bring back what was before, from whatever `do` left."""

    def check(self) -> str:
        """Return why the step's outcome does not hold, or nothing."""


def run(
    steps: Sequence[Step], write: Write, done: Collection[str] = (), stopping: Callable[[], bool] = lambda: False
) -> str:
    """Do the steps that are not done, then `committed`; on a failure undo all: `rolled-back`, or `stuck`.

    While the machine stops nothing can be judged nor undone: the transaction is `cut`, and recovered at boot.
    """
    for position, step in enumerate(steps):
        if step.name in done:
            continue
        started = time.monotonic()
        write("step", step=step.name)
        try:
            found = step.do()
        except Exception as exc:
            if stopping():
                return "cut"
            write("failed", step=step.name, **describe(exc))
            return undo(steps[: position + 1], write, stopping)
        write("done", step=step.name, seconds=round(time.monotonic() - started, 3), **dict(found or {}))
    write("committed")
    return "committed"


def undo(steps: Sequence[Step], write: Write, stopping: Callable[[], bool] = lambda: False) -> str:
    """Undo these steps from the last to the first; all are tried, whatever fails."""
    whole = True
    for step in reversed(steps):
        write("undo", step=step.name)
        try:
            found = step.undo()
        except Exception as exc:
            if stopping():
                return "cut"
            whole = False
            write("undo-failed", step=step.name, **describe(exc))
        else:
            write("undone", step=step.name, **dict(found or {}))
    if not whole:
        return "stuck"
    write("rolled-back")
    return "rolled-back"


@dataclass(frozen=True)
class Situation:
    """What the journal says of a transaction that was cut."""

    started: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    undoing: bool = False
    tries: int = 0
    reason: str = "killed"
    events: Sequence[Event] = field(default_factory=list, repr=False)


def situation(events: Sequence[Event], boot: str, machine: str) -> Situation:
    """Read the situation of one transaction from its events and from where we are now."""
    names = [event["event"] for event in events]
    last = events[-1]
    reason = "killed"
    if last.get("machine") != machine:
        reason = "copied to another machine"
    elif last.get("boot") != boot:
        reason = "the machine stopped, or was restored from a snapshot"
    return Situation(
        started=tuple(dict.fromkeys(e["step"] for e in events if e["event"] == "step")),
        done=tuple(dict.fromkeys(e["step"] for e in events if e["event"] == "done")),
        undoing=any(name in ("failed", "undo", "undone", "undo-failed") for name in names),
        tries=names[_last_reset(names) :].count("recover"),
        reason=reason,
        events=events,
    )


def recover(
    steps: Sequence[Step],
    now: Situation,
    write: Write,
    pivot: str,
    stopping: Callable[[], bool] = lambda: False,
) -> str:
    """Finish or undo a cut transaction: forward once `pivot` is done and still holds, else back."""
    pivotal = next((step for step in steps if step.name == pivot), None)
    why = "it was being undone" if now.undoing else f"{pivot!r} was not reached"
    if pivotal is not None and pivot in now.done and not now.undoing:
        why = _holds(pivotal)
        if not why:
            write("direction", direction="forward", because=f"{pivot!r} is done and still holds")
            return run(steps, write, now.done, stopping)
    write("direction", direction="back", because=why)
    return undo([step for step in steps if step.name in now.started], write, stopping)


def describe(exc: BaseException) -> dict[str, Any]:
    """Return what the journal may say of a failure."""
    if isinstance(exc, Failed):
        known = {"next_step": exc.next_step} if exc.next_step else {}
        return {"reason": str(exc), "evidence": dict(exc.evidence), **known}
    if isinstance(exc, Refused):
        return {"reason": exc.message, "owner": exc.owner, "next_step": exc.next_step}
    frame = exc.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
    return {"reason": f"{type(exc).__name__}: {exc}"[:600], "evidence": {"frame": where}}


def _holds(step: Step) -> str:
    try:
        return step.check()
    except Exception as exc:
        return str(describe(exc)["reason"])


def _last_reset(names: Sequence[str]) -> int:
    resets = [position for position, name in enumerate(names) if name == "retry-asked"]
    return resets[-1] if resets else 0
