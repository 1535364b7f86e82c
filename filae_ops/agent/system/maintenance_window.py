"""The maintenance window that the hospital agreed to: days, a start and a length, in the site's time zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Window:
    """When the service may be interrupted."""

    days: tuple[str, ...]
    start: time
    minutes: int
    zone: ZoneInfo

    def is_open(self, now: datetime) -> bool:
        """Tell whether the window is open at this moment."""
        return any(start <= now < end for start, end in self._around(now))

    def next_opening(self, now: datetime) -> datetime:
        """Return when it opens next, in the site's time zone."""
        return min(start for start, _ in self._around(now) if start > now).astimezone(self.zone)

    def _around(self, now: datetime) -> list[tuple[datetime, datetime]]:
        """Return the openings of the days around a moment; compared in UTC, also when the clocks change."""
        today, found = now.astimezone(self.zone).date(), []
        for ahead in range(-1, 8):
            day = today + timedelta(days=ahead)
            if DAYS[day.weekday()] in self.days:
                start = datetime.combine(day, self.start, self.zone).astimezone(UTC)
                found.append((start, start + timedelta(minutes=self.minutes)))
        return found


def from_mapping(data: Mapping[str, Any], zone: str) -> Window | None:
    """Read the window that provisioning placed; None when none was agreed. ValueError when it is not one."""
    if not data:
        return None
    days, minutes = tuple(data["days"]), data["minutes"]
    if not days or any(day not in DAYS for day in days):
        raise ValueError("days")
    if type(minutes) is not int or not 1 <= minutes <= 1440:
        raise ValueError("minutes")
    return Window(days, time.fromisoformat(data["start"]), minutes, ZoneInfo(zone))
