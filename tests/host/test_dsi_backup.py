"""What the DSI says that it saved. The DSI answers."""

from __future__ import annotations

import datetime as dt

from filae_ops.verification.check import Target, broken, check, no_object, not_run

MARGIN_S = 2 * 3600


def recent(on: Target, kind: str, declared: bool) -> None:
    """Judge the age of a receipt; a machine younger than the interval has had no time for one."""
    if not declared:
        no_object("undeclared")
    now, interval = on.facts["system"]["now"], on.inventory.backup.interval_hours
    receipt = on.facts["receipts"].get(kind)
    since = dt.datetime.fromisoformat(receipt["at"]).timestamp() if receipt else on.facts["system"]["installed"]
    hours, late = round((now - since) / 3600), now - since > interval * 3600 + MARGIN_S
    if receipt is None and not late:
        not_run("none_yet", hours=hours, declared=interval)
    if receipt is None:
        broken("none", hours=hours, declared=interval)
    if late:
        broken("late", hours=hours, declared=interval)


@check("backup-receipt", "DSI-10", against=("backup.interval_hours",))
def test_backup(on: Target) -> None:
    """The last backup's receipt is no older than declared."""
    recent(on, "backup", any(kind != "machine_snapshot" for kind in on.inventory.backup.kinds))


@check("snapshot-receipt", "DSI-10", against=("backup.interval_hours",))
def test_snapshot(on: Target) -> None:
    """The last snapshot's receipt is no older than declared."""
    recent(on, "snapshot", "machine_snapshot" in on.inventory.backup.kinds)
