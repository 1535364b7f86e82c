"""Sites to change: a copy of the demonstration's, and one just begun."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from material.requests import DEMO, Edit

from filae_ops.inventory.reading.draft import Draft, draft
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.scaffold import write


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "site"))


@pytest.fixture
def edit(site: Path) -> Edit:
    def _edit(name: str, old: str, new: str) -> Path:
        path = site / (name if name == "hosts.yml" else f"group_vars/all/{name}")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    return _edit


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Draft:
    path = tmp_path_factory.mktemp("draft") / "site"
    write(path, Answers(name="chv-production", hosting="internal_vendor_admin"))
    return draft(path)
