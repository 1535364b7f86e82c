"""What the steps of a deploy have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.runtime import unit_control
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Result
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event
from filae_ops.agent.transaction.plan import Plan

Found = Mapping[str, Any] | None
Note = Callable[..., object]


def silent(event: str, **fields: Any) -> None:
    """Note nothing."""


class Deploy:
    """A step's view of its transaction; a step overrides what it does."""

    name = ""

    def __init__(self, machine: Machine, plan: Plan, note: Note = silent) -> None:
        self.machine = machine
        self.plan = plan
        self._note = note

    def note(self, event: str, **fields: Any) -> None:
        """Tell, in the journal, how far a long step is."""
        self._note(event, step=self.name, **fields)

    @cached_property
    def contract(self) -> Contract:
        """Return the contract of the new release, once it is staged."""
        return of_release(self.machine.layout.release(self.plan.version))

    @cached_property
    def bundle(self) -> Path:
        """Return the bundle, its signature checked again now that the lock is held."""
        bundle = Path(self.plan.bundle)
        archive.check_signature(bundle, Path(f"{bundle}.sig"), self.machine.layout.signers)
        return bundle

    @property
    def before(self) -> Contract | None:
        """Return the contract of the release that was live before, if there was one."""
        version = self.plan.from_version
        return of_release(self.machine.layout.release(version)) if version else None

    @property
    def events(self) -> list[Event]:
        """Return what the journal says of this transaction so far."""
        return journals.transactions(journals.of_machine(self.machine.layout.journal).read()).get(self.plan.id, [])

    def do(self) -> Found:
        """Bring the outcome about."""
        raise NotImplementedError

    def undo(self) -> Found:
        """Leave nothing behind; a step that only looked or prepared has nothing to undo."""
        return None

    def check(self) -> str:
        """Return why the outcome does not hold."""
        return ""

    def command(self, process: str, seconds: float) -> Result:
        """Run a command of the new release; its output is kept only where the operator asked to see it."""
        result = unit_control.once(self.machine, self.contract, process, seconds=seconds)
        if self.plan.unsafe_logs:
            self.machine.layout.private.mkdir(mode=0o700, exist_ok=True)
            durable.write(self.machine.layout.private / "unsafe.log", result.out + result.err, 0o600)
        unit_control.require(process, result)
        return result
