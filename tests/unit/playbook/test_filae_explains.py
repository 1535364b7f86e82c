"""What a plain ansible-playbook run prints at its end: why, who acts, the next step, and nothing to obey."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import pytest

from filae_ops.paths import data_path

HOSTILE = "psql: \x1b[2K\x1b[1A\r\x9b2K\u202eno"


def plugin() -> Any:
    path = data_path("playbooks", "callback_plugins", "filae_explains.py")
    spec = importlib.util.spec_from_file_location("filae_explains", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CallbackModule()


def test_a_failure_is_explained_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FILAE_CONTROL_DIR", raising=False)
    shown: list[str] = []
    explains = plugin()
    explains._display = SimpleNamespace(display=lambda text, **_: shown.append(text))
    explains.v2_runner_on_failed(
        SimpleNamespace(
            _result={"msg": HOSTILE},
            _host=SimpleNamespace(get_name=lambda: "v1"),
            _task=SimpleNamespace(get_name=lambda: "database : Roles"),
        )
    )
    explains.v2_playbook_on_stats(None)
    (text,) = shown
    first, *rest = text.strip().splitlines()
    assert first == r"filae-ops: v1: database : Roles: psql: \u001b[2K\u001b[1A\u000d\u009b2K\u202eno"
    assert rest[0] == "  who acts: provider"
