"""Secrets: supplied, or born once."""

from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import credentials
from filae_ops.agent.system.errors import Refused

NEW = Contract(CONTRACT)


def test_supplied_secrets_must_be_there_and_others_are_born_once(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    with pytest.raises(Refused, match="mail_password"):
        credentials.ensure(machine, NEW)
    (machine.layout.secrets / "mail_password").write_text("x")
    assert credentials.ensure(machine, NEW) == ["admin_password", "secret_key_base"]
    path = machine.layout.secrets / "secret_key_base"
    born = path.read_text()
    assert len(born.strip()) == 128
    assert path.stat().st_mode & 0o777 == 0o600
    assert credentials.ensure(machine, NEW) == []
    assert path.read_text() == born
