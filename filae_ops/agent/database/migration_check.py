"""What a release's migration would change, and when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import postgresql, schema_table
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.json_file import PROVISION
from filae_ops.agent.system.machine import Machine

KINDS = ("expand", "contract", "window")


@dataclass(frozen=True)
class Change:
    """A schema that a migration will change: from which version (None: there is no schema yet) to which."""

    found: int | None
    wanted: int
    kind: str


def pending(machine: Machine, contract: Contract, *, again: bool = False) -> Change | None:
    """Return what the migration will change; None without a migration, or when the schema is there already.

    `again`: of the live release, which may serve with a later schema than its own, but with no earlier one, as a
    restored database has.
    """
    stated = contract.get("migrate")
    if not stated:
        return None
    found = schema_table.version(machine) if postgresql.exists(machine) else None
    wanted = int(stated.get("schema_version") or 0)
    there = found == wanted or (again and found is not None and found > wanted)
    return None if there else Change(found, wanted, str(stated.get("kind") or ""))


def check(machine: Machine, contract: Contract, *, serving: bool) -> Change | None:
    """Refuse a migration that must not run now, or return what it will change; `serving`: people are at work."""
    change = pending(machine, contract)
    if change is None:
        return None
    if change.kind not in KINDS:
        raise Refused(
            f"release {contract.version} states no kind of its migration that this agent knows: {change.kind[:20]!r}",
            next_step=f"state migrate.kind in release.yml, one of {', '.join(KINDS)}, and build again",
        )
    if change.found is not None and change.found > change.wanted:
        raise Refused(
            f"the schema is {change.found}, later than release {contract.version}'s {change.wanted}: "
            "an update that was undone left it, and nothing migrates down",
            next_step="build the release with those migrations in it",
        )
    if serving:
        _in_its_time(machine, contract, change.kind, datetime.now(UTC))
        _nobody_in_the_way(machine)
    return change


def _in_its_time(machine: Machine, contract: Contract, kind: str, now: datetime) -> None:
    """Refuse a migration of kind `window` while the maintenance window is closed."""
    window = machine.config.maintenance_window
    if kind != "window" or (window and window.is_open(now)):
        return
    what = f"release {contract.version} migrates in the maintenance window only (kind `window`)"
    if window is None:
        raise Refused(
            f"{what}, and none is agreed for this site",
            owner="shared",
            next_step=f"agree on site.maintenance_window in the inventory, then {PROVISION}",
        )
    opening = window.next_opening(now)
    raise Refused(
        f"{what}, which is closed: it opens on {opening:%A %d %B %Y at %H:%M} ({window.zone.key})",
        next_step=f"deploy at that time; it stays open for {window.minutes} minutes",
    )


def _nobody_in_the_way(machine: Machine) -> None:
    """Refuse while a transaction holds on: the migration would wait for it, and everybody for the migration."""
    limit = machine.config.timings["old_transaction"]
    if old := postgresql.transactions(machine, older=limit):
        pids = ", ".join(str(one["pid"]) for one in old)
        raise Refused(
            f"a transaction older than {limit:g} s is open in the database: {postgresql.words(old)}",
            next_step=f"{postgresql.WAY_OUT} (pid {pids})",
        )
