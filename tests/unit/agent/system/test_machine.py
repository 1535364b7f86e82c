"""What is live, as the machine itself says."""

from __future__ import annotations

from pathlib import Path

from material.agent.fakes import machine_at, make_live

from filae_ops.agent.system.machine import Live, other


def test_what_is_live_is_what_nginx_and_the_colour_say(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    assert machine.live() is None
    (machine.layout.nginx / "upstream.conf").write_text("# no release yet\n")
    assert machine.live() is None
    make_live(machine, "2.0.0", "green")
    assert machine.live() == Live("2.0.0", "green")
    assert [other(None), other("blue"), other("green")] == ["blue", "green", "blue"]
