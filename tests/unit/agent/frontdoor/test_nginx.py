"""The pair of includes: whole or not at all, and taken back; nginx's workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import machine_at

from filae_ops.agent.frontdoor import nginx
from filae_ops.agent.system.process import Failed


def test_a_pair_that_nginx_refuses_does_not_stay(tmp_path: Path) -> None:
    from filae_ops.agent.system.process import Result

    machine, _ = machine_at(tmp_path, {"nginx -t": Result(1, "", "no")})
    (machine.layout.nginx / "upstream.conf").write_text("old")
    (machine.layout.nginx / "live.conf").write_text("old too")
    with pytest.raises(Failed, match="nginx -t"):
        nginx.put(machine, {"upstream.conf": "new", "live.conf": "new too"})
    assert (machine.layout.nginx / "upstream.conf").read_text() == "old"
    assert (machine.layout.nginx / "live.conf").read_text() == "old too"


def test_the_former_pair_comes_back_once_saved(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    assert nginx.restore(machine, "t1") is False
    (machine.layout.nginx / "upstream.conf").write_text("old")
    nginx.save(machine, "t1")
    (machine.layout.nginx / "upstream.conf").write_text("new")
    nginx.save(machine, "t1")
    assert nginx.restore(machine, "t1") is True
    assert (machine.layout.nginx / "upstream.conf").read_text() == "old"
    assert "systemctl reload nginx.service" in runner.lines()


def test_nginx_workers_are_told_apart(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    for pid, title in ((10, b"nginx: master process"), (11, b"nginx: worker process"), (12, b"ruby"),
                       (13, b"nginx: worker process is shutting down")):  # fmt: skip
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "cmdline").write_bytes(title)
    assert nginx.workers(machine) == {11: "working", 13: "leaving"}


@pytest.mark.parametrize("colour", ["", "red", "blue.sock; } evil {", "blue\n", "../x"])
def test_only_a_colour_is_led_to(colour: str) -> None:
    with pytest.raises(Failed, match="cannot be given the colour"):
        nginx.upstream(colour)
