"""A change that could lock everyone out: when there is one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3] / "playbooks/library/confirmed_change.py"


@pytest.fixture(scope="module")
def confirmed() -> Any:
    spec = importlib.util.spec_from_file_location("confirmed_change", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FailureError(Exception):
    pass


def ansible(path: Path, live: list[str] | None) -> Any:
    def fail_json(msg: str) -> None:
        raise FailureError(msg)

    return SimpleNamespace(params={"path": str(path), "live": live}, fail_json=fail_json)


def test_what_is_live_is_remembered(confirmed: Any, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("accept 22\n")
    module = ansible(tmp_path / "file", ["cat", str(rules)])
    assert confirmed.lost(module), "never activated by this module"
    confirmed.keep_live(module)
    assert not confirmed.lost(module)
    rules.write_text("accept 22\naccept 8080\n")
    assert confirmed.lost(module), "a rule added by hand"
    rules.unlink()
    assert confirmed.lost(module), "nothing live"


def test_what_is_not_in_force_is_a_failure_in_the_command_s_own_words(confirmed: Any, tmp_path: Path) -> None:
    module = ansible(tmp_path / "file", ["sh", "-c", "echo sshd does not follow it; exit 1"])
    with pytest.raises(FailureError, match="sshd does not follow it"):
        confirmed.keep_live(module)


def test_a_program_that_is_not_installed_yet_has_nothing_live(confirmed: Any, tmp_path: Path) -> None:
    assert confirmed.lost(ansible(tmp_path / "file", ["/usr/sbin/absent"]))
    assert not confirmed.lost(ansible(tmp_path / "file", None))
