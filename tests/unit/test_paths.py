"""Shipped files are found in a checkout and in the wheel, and the wheel ships all that is asked for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from filae_ops import paths

ROOT = Path(__file__).parents[2]
HATCH = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
SHIPPED = HATCH["build"]["targets"]["wheel"]["force-include"]


def test_a_checkout_is_read_in_place() -> None:
    assert paths.checkout() == ROOT
    assert paths.data_path("playbooks", "provision.yml") == ROOT / "playbooks/provision.yml"


def test_the_wheel_is_read_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "filae_ops"
    (package / "_data").mkdir(parents=True)
    monkeypatch.setattr(paths, "PACKAGE", package)
    assert paths.data_path("ansible.cfg") == package / "_data/ansible.cfg"
    assert paths.checkout() is None


def test_whatever_the_code_asks_for_is_shipped() -> None:
    asked = set()
    for path in (ROOT / "filae_ops").rglob("*.py"):
        for words in re.findall(r"data_path\(([^)]*)\)", path.read_text()):
            parts = re.findall(r'^"([^"]+)"(?:, "([^"]+)")?', words)
            asked |= {"/".join(filter(None, part)) for part in parts}
    assert {"ansible.cfg", "tests/host"} <= asked
    for each in asked:
        assert any(each == name or each.startswith(f"{name}/") for name in SHIPPED), each


@pytest.mark.parametrize(("name", "place"), SHIPPED.items())
def test_what_is_shipped_is_there_and_goes_where_it_is_looked_for(name: str, place: str) -> None:
    assert (ROOT / name).exists()
    assert place == f"filae_ops/_data/{name}"
