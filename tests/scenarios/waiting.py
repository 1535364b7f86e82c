"""Wait for what others bring about; when it does not come, say what they said."""

from __future__ import annotations

import time
from collections.abc import Callable

from sites import LONG


def until(
    true: Callable[[], bool],
    *,
    ended: Callable[[], bool] = lambda: False,
    told: Callable[[], str] = str,
    seconds: float = LONG,
) -> None:
    """Wait until something is true; fail once that which brings it about has ended, and after `seconds`."""
    limit = time.monotonic() + seconds
    while True:
        over = ended()
        if true():
            return
        assert not over, f"it ended before that:\n{told()}"
        assert time.monotonic() < limit, f"it did not come true in {seconds:.0f} s:\n{told()}"
        time.sleep(0.05)
