"""When a migration is refused: its kind has its time, the schema its order, and nobody may be in its way."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from material.agent.databases import HOLDER, NEW, OLD, Server, machine_with, of_kind
from material.agent.fakes import machine_at

from filae_ops.agent.database import migration_check
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.maintenance_window import Window

WINDOW = Window(("tue",), time(22, 0), 120, ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(
    ("now", "is_open", "opens"),
    [
        ("2026-11-24T20:59:59+00:00", False, "2026-11-24T22:00:00+01:00"),
        ("2026-11-24T21:00:00+00:00", True, "2026-12-01T22:00:00+01:00"),
        ("2026-11-24T22:59:59+00:00", True, "2026-12-01T22:00:00+01:00"),
        ("2026-11-24T23:00:00+00:00", False, "2026-12-01T22:00:00+01:00"),
        ("2026-07-07T20:30:00+00:00", True, "2026-07-14T22:00:00+02:00"),
    ],
)
def test_the_window_is_in_the_sites_time_zone(now: str, is_open: bool, opens: str) -> None:
    moment = datetime.fromisoformat(now)
    assert WINDOW.is_open(moment) is is_open
    assert WINDOW.next_opening(moment).isoformat() == opens


def test_a_window_goes_past_midnight_and_the_change_of_the_clocks() -> None:
    late = Window(("sat",), time(23, 0), 300, ZoneInfo("Europe/Paris"))  # the clocks go back that night
    assert late.is_open(datetime(2026, 10, 25, 1, 59, tzinfo=UTC))
    assert not late.is_open(datetime(2026, 10, 25, 2, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("kind", "window", "serving", "words"),
    [
        ("expand", False, True, ""),
        ("contract", False, True, ""),
        ("window", False, True, "none is agreed"),
        ("window", True, True, r"closed: it opens on \w+ \d\d \w+ \d{4} at \d\d:\d\d \(UTC\)"),
        ("window", False, False, ""),
        ("", False, True, "no kind"),
        ("later", False, True, "'later'"),
    ],
)
def test_a_kind_has_its_time(tmp_path: Path, kind: str, window: bool, serving: bool, words: str) -> None:
    config: dict[str, Any] = {}
    if window:  # one minute, the day after tomorrow
        day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 2) % 7]
        config = {"timezone": "UTC", "maintenance_window": {"days": [day], "start": "12:00", "minutes": 1}}
    machine, _ = machine_with(tmp_path, Server(), **config)
    if words:
        with pytest.raises(Refused, match=words):
            migration_check.check(machine, of_kind(kind), serving=serving)
    else:
        assert migration_check.check(machine, of_kind(kind), serving=serving) == migration_check.Change(
            int(OLD), int(NEW), kind
        )


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"days": [], "start": "22:00", "minutes": 1}, "days"),
        ({"days": ["mardi"], "start": "22:00", "minutes": 1}, "mardi"),
        ({"days": ["tue"], "start": "22h", "minutes": 1}, "22h"),
        ({"days": ["tue"], "minutes": 1}, "start"),
    ],
)
def test_a_window_that_is_none_is_refused(tmp_path: Path, window: dict[str, Any], words: str) -> None:
    machine, _ = machine_at(tmp_path, maintenance_window=window)
    with pytest.raises(Refused, match=words):
        _ = machine.config


def test_a_schema_that_is_there_asks_for_nothing_and_a_later_one_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_with(tmp_path, Server(NEW, open=[HOLDER]))
    assert migration_check.check(machine, of_kind("window"), serving=True) is None
    machine, _ = machine_with(tmp_path / "later", Server("20270101000000"))
    with pytest.raises(Refused, match="nothing migrates down"):
        migration_check.check(machine, of_kind("expand"), serving=True)


def test_an_old_transaction_is_named_and_never_what_it_asks(tmp_path: Path) -> None:
    server = Server(open=[HOLDER])
    machine, _ = machine_with(tmp_path, server)
    with pytest.raises(Refused, match=r"pid 7211 \(wardreport\) of filae since 2026-11-21T23:45:17") as caught:
        migration_check.check(machine, of_kind("expand"), serving=True)
    assert "pg_terminate_backend" in caught.value.next_step
    (asked,) = [sql for sql in server.asked if "pg_stat_activity" in sql]
    assert "secs => 60.0" in asked
    assert "query" not in asked
