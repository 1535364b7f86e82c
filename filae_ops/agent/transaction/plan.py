"""What a transaction is to do: decided before it starts, journalled whole with its first event."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.json_file import read_json
from filae_ops.agent.system.machine import Live, Machine, other
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction.journal import Event

OLD = 86400.0


@dataclass(frozen=True)
class Plan:
    """One transaction, from which release to which.

    `mode` is "one" where memory is short for two colours: the release takes the place of the one before under the
    same socket, and requests wait for about `stall` seconds. `why` says what asked for a refresh.
    """

    id: str
    kind: str
    version: str
    colour: str
    bundle: str
    sha256: str
    signer: str
    operator: str
    from_version: str = ""
    from_colour: str = ""
    unsafe_logs: bool = False
    mode: str = "two"
    stall: float | None = None
    why: str = ""

    @property
    def reuse(self) -> bool:
        """Tell whether the release's tree is the one that runs already."""
        return self.version == self.from_version

    @property
    def description(self) -> str:
        """Return what the lock says of its holder."""
        return f"filaectl {self.kind} {self.version} by {self.operator}"


def new_id() -> str:
    """Return a name for a transaction, in the order of time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def again(kind: str, live: Live, version: str, mode: str, operator: str, stall: float | None, why: str = "") -> Plan:
    """Return what a transaction on a release that lies on the machine is to do."""
    return Plan(
        id=new_id(),
        kind=kind,
        version=version,
        colour=live.colour if mode == "one" else other(live.colour),
        bundle="",
        sha256="",
        signer="",
        operator=operator,
        from_version=live.version,
        from_colour=live.colour,
        mode=mode,
        stall=stall if mode == "one" else None,
        why=why,
    )


def from_mapping(data: Mapping[str, Any]) -> Plan:
    """Read a plan back, from a request or from the journal."""
    return Plan(**{f.name: data[f.name] for f in fields(Plan) if f.name in data})


def save(machine: Machine, plan: Plan) -> None:
    """Leave the request where the transaction's unit finds it."""
    durable.write(machine.layout.requests / f"{plan.id}.json", json.dumps(asdict(plan)) + "\n", 0o600)


def load(machine: Machine, name: str) -> Plan:
    """Read the request of a transaction."""
    return from_mapping(read_json(machine.layout.requests / f"{name}.json"))


def forget(machine: Machine, plan: Plan) -> None:
    """Remove the bundle that it took in, then the request: whoever asks again sends it again."""
    for name in (plan.bundle, f"{plan.bundle}.sig") if plan.bundle else ():
        path = machine.layout.root.joinpath(name)
        if path.parent == machine.layout.incoming:
            durable.remove(path)
    durable.remove(machine.layout.requests / f"{plan.id}.json")


def sweep(machine: Machine, events: Sequence[Event]) -> None:
    """Remove all that ended transactions kept for their undoing, also of one that was cut right after its end."""
    known = journals.transactions(events)
    for path in sorted(machine.layout.requests.iterdir()):
        some = known.get(path.name.partition(".")[0])
        if some and journals.outcome(some) in ("committed", "rolled-back"):
            forget(machine, from_mapping(some[0]))
            durable.remove(path)
        elif not some and time.time() - path.lstat().st_mtime > OLD:  # asked for, and never begun
            with contextlib.suppress(Refused, TypeError):
                forget(machine, from_mapping(read_json(path)))
            durable.remove(path)


def as_fields(plan: Plan) -> dict[str, Any]:
    """Return the plan as fields of the journal's first event."""
    return asdict(plan)
