"""What is in force is compared with what is written, to the tick of the kernel's clock."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from filae_ops.facts import loaded


def test_the_latest_of_systemd_s_moments_counts_and_none_is_the_boot():
    now, boot = time.time(), time.time() - time.monotonic()
    ago = int((time.monotonic() - 5) * 1e6)
    shown = f"UnitsLoadStartTimestampMonotonic={ago}\nUnitsLoadTimestampMonotonic=0\n"
    assert loaded._since_boot(shown) == pytest.approx(now - 5, abs=0.5)
    assert loaded._since_boot("") == pytest.approx(boot, abs=0.5)


def test_a_file_that_was_written_and_put_back_is_newer_though_its_time_is_not(tmp_path: Path):
    path = tmp_path / "settings"
    path.write_text("as it was")
    moment = time.time() + 0.05
    time.sleep(0.2)
    path.write_text("other")
    path.write_text("as it was")
    os.utime(path, (0, 0))
    assert loaded._newer([str(path), str(tmp_path / "absent")], moment) == [str(path)]
    assert loaded._newer([str(path)], time.time()) == []


def test_a_process_is_as_old_as_the_kernel_says():
    assert loaded._born(str(os.getpid())) < time.time()
    assert loaded._born(str(os.getpid())) > time.time() - 24 * 3600


def test_what_generators_write_anew_is_not_asked_when_it_was_written():
    unit = {"FragmentPath": "/run/systemd/generator/x.socket", "DropInPaths": "/etc/systemd/system/x.socket.d/y.conf"}
    assert loaded._files(unit) == ["/etc/systemd/system/x.socket.d/y.conf"]
