"""What the tests of the request for a machine begin with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from filae_ops.paths import data_path

DEMO = data_path("inventories", "demo")
DAY = dt.date(2026, 11, 22)
Edit = Callable[[str, str, str], Path]
