"""The backup plan and the continuity of care, as declared."""

from __future__ import annotations

from collections.abc import Mapping

from filae_ops.report.document.blocks import Cell, Facts, Section
from filae_ops.report.document.values import at, shown
from filae_ops.report.review.entries import Context


def backup(context: Context) -> Section:
    """Return the backup plan: what, how often, where to, kept how long, proven when."""
    say, lang, tree = context.say["backup"], context.lang, context.tree

    def of(field: str, unit: str = "", *, coded: bool = False) -> str:
        return shown(at(tree, f"backup.{field}"), lang, unit, coded=coded)

    rows: list[tuple[str, Cell]] = [
        (say["kinds"], of("kinds", coded=True)), (say["interval"], of("interval_hours", say["hours"])),
        (say["retention"], of("retention_days", say["days"])), (say["offsite"], _offsite(context)),
        (say["offline"], of("offline_or_immutable")), (say["separate"], of("separate_authentication")),
        (say["mfa"], of("mfa")), (say["transit"], of("encrypted_transit")), (say["rest"], of("encrypted_rest")),
        (say["key"], of("key_escrow")), (say["logs"], of("includes_logs")), (say["alert"], of("monitoring.alert_to")),
        (say["success"], of("monitoring.last_success")), (say["restore"], of("last_restore_test.date")),
        (say["minutes"], of("last_restore_test.minutes", say["minute"])),
    ]  # fmt: skip
    return Section("backup", say["title"], (Facts(tuple(rows)),))


def _offsite(context: Context) -> str:
    say, lang = context.say["backup"], context.lang
    declared = at(context.tree, "backup.offsite")
    if not isinstance(declared, Mapping):
        return shown(declared, lang)
    place, distance, days = (shown(at(declared, name), lang) for name in ("place", "distance_km", "interval_days"))
    form = say["daily" if declared.get("interval_days") == 1 else "distance"]
    return str(form.format(place=place, km=distance, days=days))


def continuity(context: Context) -> Section:
    """Return what the hospital's recovery plan says of the application."""
    say, lang, tree = context.say["continuity"], context.lang, context.tree
    minutes = context.say["backup"]["minute"]
    fields = (
        ("pra", "in_hospital_pra", ""), ("rank", "rank", ""), ("rto", "rto_minutes", minutes),
        ("rpo", "rpo_minutes", minutes), ("exercise", "last_exercise", ""), ("degraded", "degraded_mode", ""),
    )  # fmt: skip
    rows = tuple((say[name], shown(at(tree, f"continuity.{field}"), lang, unit)) for name, field, unit in fields)
    return Section("continuity", say["title"], (Facts(rows),))
