"""The program `filae-ops` of the checkout: when it makes its environment, and when it leaves it alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands for Python: says what it is asked, and makes an environment that holds itself.
PYTHON = """#!/bin/sh
echo "python $*" >&2
case "$*" in "-P -m venv"*)
    for last; do :; done
    rm -rf "$last"; mkdir -p "$last/bin"; cp "$0" "$last/bin/python";;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    made = tmp_path / "a checkout"
    made.mkdir()
    for name in ("filae-ops", "pyproject.toml"):
        shutil.copy2(ROOT / name, made / name)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/python3.14"
    program.write_text(PYTHON)
    program.chmod(0o755)
    return made


def run(checkout: Path, *words: str) -> list[str]:
    """Return what Python was asked to do."""
    env = {"PATH": f"{checkout.parent / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run([checkout / "filae-ops", *words], env=env, capture_output=True, text=True, check=True)
    asked = [line.removeprefix("python ") for line in done.stderr.splitlines() if line.startswith("python ")]
    return [line.split(" --")[0] for line in asked if not line.startswith("-P -c")]


MADE = ["-P -m venv", "-P -m pip install"]


def test_the_second_run_makes_nothing(checkout: Path) -> None:
    assert run(checkout, "status") == [*MADE, "-P -m filae_ops status"]
    assert run(checkout, "status") == ["-P -m filae_ops status"]


def test_the_tests_need_more_and_serve_the_rest(checkout: Path) -> None:
    run(checkout, "status")
    assert run(checkout, "test") == ["-P -m pip install", "-P -m filae_ops test"]
    assert run(checkout, "status") == ["-P -m filae_ops status"]


def test_a_moved_checkout_does_not_run_the_code_of_its_old_place(checkout: Path) -> None:
    run(checkout, "status")
    moved = checkout.rename(checkout.with_name("moved"))
    assert run(moved, "status") == [*MADE, "-P -m filae_ops status"]


def test_a_python_that_an_upgrade_removed_is_replaced(checkout: Path) -> None:
    run(checkout, "status")
    (checkout / ".venv/bin/python").unlink()
    assert run(checkout, "status") == [*MADE, "-P -m filae_ops status"]


def test_a_change_of_the_dependencies_is_taken_up(checkout: Path) -> None:
    run(checkout, "status")
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n# changed\n")
    assert run(checkout, "status")[0].startswith("-P -m pip install")
