"""The command lines of the test suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from filae_ops.trial.selftest import linters, pytest_argv, run_all

ROOT = Path(__file__).parents[3]
WORKERS = ["--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
UNIT = ["tests/unit", "tests/templates", *WORKERS]
ALL = ["tests/scenarios", *UNIT]


@pytest.mark.parametrize(
    ("extra", "unit", "long", "expected"),
    [
        ([], False, False, ALL),
        ([], True, False, UNIT),
        ([], False, True, [*ALL, "--long"]),
        (["-x"], False, False, [*ALL, "-x"]),
        (["tests/unit/test_suite.py"], False, False, ["tests/unit/test_suite.py"]),
    ],
)
def test_what_pytest_is_given(extra: list[str], unit: bool, long: bool, expected: list[str]) -> None:
    assert pytest_argv(extra, unit=unit, long=long) == [sys.executable, "-m", "pytest", "-q", *expected]


def test_every_test_is_found_whatever_it_imports() -> None:
    argv = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--long", *(word for word in ALL if "/" in word)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_every_linter_is_this_venvs_own() -> None:
    names = {Path(argv[0]).name for argv in linters()}
    assert names == {"ruff", "mypy", "yamllint", "ansible-lint"}
    assert {Path(argv[0]).parent for argv in linters()} == {Path(sys.executable).parent}


def test_one_failure_fails_all_and_hides_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks = [tmp_path / "one", tmp_path / "two"]
    commands = [["sh", "-c", f"touch {mark}; exit {status}"] for mark, status in zip(marks, (3, 0), strict=True)]
    assert run_all(commands) == 1
    assert run_all(commands[1:]) == 0
    assert all(mark.exists() for mark in marks)
    assert "FAILED: sh -c touch" in capsys.readouterr().err
