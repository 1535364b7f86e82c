"""Services that somebody stopped, disabled or masked run again; the others are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/base/files/ensure_services.py"
SYSTEMCTL = """#!/bin/sh
[ "$1" = show ] && exec cat "$0.shown"
echo "$*" >>"$0.asked"
"""


@pytest.mark.parametrize(
    ("load", "active", "enabled", "asked"),
    [
        ("loaded", "active", "enabled", []),
        ("loaded", "active", "static", []),
        ("loaded", "inactive", "enabled-runtime", ["start nginx.service"]),
        ("loaded", "failed", "disabled", ["enable --quiet nginx.service", "start nginx.service"]),
        ("masked", "inactive", "masked",
         ["unmask --quiet nginx.service", "enable --quiet nginx.service", "start nginx.service"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["apply", "check"])
def test_what_is_done(tmp_path: Path, mode: str, load: str, active: str, enabled: str, asked: list[str]) -> None:
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    shown = f"Id=nginx.service\nLoadState={load}\nActiveState={active}\nUnitFileState={enabled}\n"
    other = "Id=chrony.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n"
    program.with_name("systemctl.shown").write_text(f"{shown}\n{other}")
    done = subprocess.run(
        [sys.executable, SCRIPT, mode, "nginx.service", "chrony.service"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    log = program.with_name("systemctl.asked")
    assert len(done.stdout.splitlines()) == len(asked)
    assert (log.read_text().splitlines() if log.exists() else []) == (asked if mode == "apply" else [])
