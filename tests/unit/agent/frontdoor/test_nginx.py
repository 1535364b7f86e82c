"""The pair of includes: whole or not at all, and taken back; nginx's workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import machine_at

from filae_ops.agent.frontdoor import nginx
from filae_ops.agent.system.machine import Machine
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


def put_process(machine: Machine, pid: int, title: bytes, unit: str = "nginx.service") -> None:
    place = machine.layout.root / "proc" / str(pid)
    place.mkdir(parents=True)
    (place / "cmdline").write_bytes(title)
    (place / "cgroup").write_text(f"0::/system.slice/{unit}\n")


def test_nginx_workers_are_told_apart(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    put_process(machine, 10, b"nginx: master process")
    put_process(machine, 11, b"nginx: worker process")
    put_process(machine, 12, b"ruby")
    put_process(machine, 13, b"nginx: worker process is shutting down")
    assert nginx.workers(machine) == {11: "working", 13: "leaving"}


@pytest.mark.parametrize("unit", ["filae-web@blue.service", "my-nginx.service", "nginx.service/x", "x.service/nginx"])
def test_a_process_of_the_application_with_a_workers_title_holds_nothing_up(tmp_path: Path, unit: str) -> None:
    machine, _ = machine_at(tmp_path)
    put_process(machine, 11, b"nginx: worker process", unit)
    put_process(machine, 13, b"nginx: worker process is shutting down", unit)
    assert nginx.workers(machine) == {}
    assert nginx.drain(machine, 0) is True


@pytest.mark.parametrize("colour", ["", "red", "blue.sock; } evil {", "blue\n", "../x"])
def test_only_a_colour_is_led_to(colour: str) -> None:
    with pytest.raises(Failed, match="cannot be given the colour"):
        nginx.upstream(colour)
