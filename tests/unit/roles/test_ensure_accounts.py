"""Accounts are people's: none of the system is opened, locked or made by a name of an inventory."""

from __future__ import annotations

import json
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = (Path(__file__).parents[3] / "roles/access/files/ensure_accounts.py").read_text()
SYSTEM = next(entry.pw_name for entry in pwd.getpwall() if 0 < entry.pw_uid < 1000)


def checked(name: str, state: str) -> subprocess.CompletedProcess[str]:
    people = json.dumps(json.dumps([{"name": name, "state": state, "group": "filae-dsi"}]))
    return subprocess.run(
        [sys.executable, "-", "check"],
        input=f"PEOPLE = {people}\n{SCRIPT}",
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_account_of_the_system_is_nobody_s(state: str) -> None:
    done = checked(SYSTEM, state)
    assert done.returncode != 0
    assert f"{SYSTEM} is an account of the system" in done.stderr
    assert "changed" not in done.stdout


@pytest.mark.parametrize("name", ["-r", "a b", "a:b", "a\nb", "../x", "A", ""])
def test_a_name_is_one_word_that_useradd_takes(name: str) -> None:
    done = checked(name, "present")
    assert done.returncode != 0
    assert "no account's" in done.stderr
    assert "changed" not in done.stdout


def test_somebody_new_is_made() -> None:
    assert "changed: account amartin made" in checked("amartin", "present").stdout
