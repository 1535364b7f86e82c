"""One colour, replaced under its socket: how long requests may wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from filae_ops.agent.steps import replace

ROLES = Path(__file__).parents[4] / "roles"


@pytest.mark.parametrize(("stall", "limit"), [(None, 30.0), (4.0, 30.0), (20.0, 40.0), (50.0, 90.0)])
def test_a_start_that_hangs_ends_while_those_who_wait_can_still_be_answered(stall: float | None, limit: float) -> None:
    assert replace.start_limit(90.0, stall) == limit


def test_the_socket_holds_those_who_wait() -> None:
    text = (ROLES / "app/templates/filae-web@.socket.j2").read_text()
    assert {"Backlog=4096", "TriggerLimitIntervalSec=0"} <= set(text.splitlines())
    assert f"proxy_read_timeout {replace.HELD:.0f}s;" in (ROLES / "proxy/templates/proxy-headers.conf.j2").read_text()
