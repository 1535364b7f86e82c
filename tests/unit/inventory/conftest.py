from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from material.inventories import DEMO


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Give a copy of the demo inventory."""
    return Path(shutil.copytree(DEMO, tmp_path / "site"))


@pytest.fixture
def edit(site: Path) -> Callable[[str, str, str], Path]:
    """Replace a text, which must be there, in one file of the inventory."""

    def _edit(name: str, old: str, new: str) -> Path:
        path = site / (name if name == "hosts.yml" else f"group_vars/all/{name}")
        text = path.read_text()
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1))
        return path

    return _edit
