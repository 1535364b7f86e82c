"""Room on the disk for a release and a dump; memory for two colours, for one, or for none."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.preflight import capacity
from filae_ops.agent.system.errors import Refused
from filae_ops.paths import data_path

NEW = Contract(CONTRACT)


@pytest.mark.parametrize(
    ("free", "dump", "refused"), [(299, 0, True), (300, 0, False), (300, 1, True), (301, 1, False)]
)
def test_disk_for_three_times_the_release_and_a_dump(free: int, dump: int, refused: bool) -> None:
    if not refused:
        capacity.disk_room(100, free, dump)
        return
    with pytest.raises(Refused, match="disk") as caught:
        capacity.disk_room(100, free, dump)
    assert caught.value.owner == "dsi"


@pytest.mark.parametrize(
    ("available", "live", "mode"),
    [
        (400, None, "two"),
        (400, 300, "two"),
        (399, None, "refused"),
        (399, 0, "refused"),
        (399, 1, "one"),
        (99, 300, "refused"),
        (100, 300, "one"),
        (0, None, "two"),
    ],
)
def test_two_colours_one_in_place_of_the_other_or_none(available: int, live: int | None, mode: str) -> None:
    """MiB: the release needs 400; what stopping the live one gives back is known, or 0; 0 available is unknown."""
    before = None if live is None else Contract({**CONTRACT, "version": "2.0.0", "memory": live * capacity.MIB})
    if mode != "refused":
        assert capacity.mode(NEW, available * capacity.MIB, before) == mode
        return
    with pytest.raises(Refused, match="memory: ") as caught:
        capacity.mode(NEW, available * capacity.MIB, before)
    assert caught.value.owner == "dsi"


@pytest.mark.parametrize(
    ("meminfo", "anon", "available"),
    [
        ("MemTotal: 1000 kB\nMemAvailable: 500 kB\n", None, 500),
        ("MemTotal: 1000 kB\nMemAvailable: 900 kB\n", None, 800),
        ("MemTotal: 1000 kB\nMemAvailable: 500 kB\n", 600, 200),
        ("", None, 0),
    ],
)
def test_memory_is_what_the_application_s_slice_lets_it_have(
    tmp_path: Path, meminfo: str, anon: int | None, available: int
) -> None:
    machine, _ = machine_at(tmp_path)
    (tmp_path / "proc").mkdir(exist_ok=True)
    (tmp_path / "proc/meminfo").write_text(meminfo)
    if anon is not None:
        place = tmp_path / "sys/fs/cgroup/filae.slice"
        place.mkdir(parents=True)
        (place / "memory.stat").write_text(f"anon {anon * 1024}\nfile 999999999\n")
    assert capacity.memory_available(machine) == available * 1024


def test_the_slice_has_as_much_as_the_preflight_counts_on():
    text = data_path("roles", "app", "templates", "filae.slice.j2").read_text()
    assert f"\nMemoryMax={capacity.OF_SLICE}%\n" in text
