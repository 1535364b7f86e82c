"""What the DSI says that it saved. The DSI answers."""

from __future__ import annotations

import datetime as dt

from filae_ops.verification.check import Target, broken, check, no_object, not_run

MARGIN_S = 2 * 3600
STEPS = {
    "backup": "dsi: look at the backup; after each one: sudo filaectl receipt --kind backup",
    "snapshot": "dsi: look at the snapshots; after each one: sudo filaectl receipt --kind snapshot",
}


def recent(on: Target, kind: str, declared: bool) -> None:
    """Judge the age of a receipt; a machine younger than the interval has had no time for one."""
    if not declared:
        no_object(f"the inventory declares no {kind}")
    now, limit = on.facts["system"]["now"], on.inventory.backup.interval_hours * 3600 + MARGIN_S
    receipt = on.facts["receipts"].get(kind)
    if receipt is None:
        age = now - on.facts["system"]["installed"]
        if age <= limit:
            hours = on.inventory.backup.interval_hours
            not_run(f"no {kind} receipt yet: installed {age / 3600:.0f} hours ago, one every {hours} hours")
        broken(f"no {kind} receipt since the machine was installed, {age / 3600:.0f} hours ago", STEPS[kind])
    age = now - dt.datetime.fromisoformat(receipt["at"]).timestamp()
    if age > limit:
        broken(
            f"the last {kind} receipt is {age / 3600:.0f} hours old, declared: {on.inventory.backup.interval_hours}",
            STEPS[kind],
        )


@check("backup-receipt", "DSI-10", against=("backup.interval_hours",))
def test_backup(on: Target) -> None:
    """The last backup's receipt is no older than declared."""
    recent(on, "backup", any(kind != "machine_snapshot" for kind in on.inventory.backup.kinds))


@check("snapshot-receipt", "DSI-10", against=("backup.interval_hours",))
def test_snapshot(on: Target) -> None:
    """The last snapshot's receipt is no older than declared."""
    recent(on, "snapshot", "machine_snapshot" in on.inventory.backup.kinds)
