"""Each role states its arguments; defaults and statement agree; budgets hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from templates.rendering import ROLES, document

NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())


@pytest.mark.parametrize("role", NAMES)
def test_defaults_and_specification_agree(role: str) -> None:
    specs = document(ROLES / role / "meta/argument_specs.yml")["argument_specs"]
    options = {name: option for spec in specs.values() for name, option in spec["options"].items()}
    defaults = document(ROLES / role / "defaults/main.yml")
    for name, option in options.items():
        assert "default" not in option, f"{name}: a default lives in defaults/main.yml"
        assert option.get("description"), name
        assert option.get("type"), name
    for name in options:
        assert name.startswith(f"{role}_"), name
    required = {name for name, option in options.items() if option.get("required")}
    assert set(defaults) == set(options) - required
    assert all(spec["short_description"] for spec in specs.values())


@pytest.mark.parametrize("role", NAMES)
def test_each_default_has_its_comment(role: str) -> None:
    path = ROLES / role / "defaults/main.yml"
    lines = path.read_text().splitlines() if path.is_file() else []
    for above, line in zip(["", *lines], lines, strict=False):
        if line.startswith(role):
            assert above.startswith("# "), line


@pytest.mark.parametrize("role", NAMES)
def test_every_entry_point_is_specified(role: str) -> None:
    specs = document(ROLES / role / "meta/argument_specs.yml")["argument_specs"]
    included = {path.stem for path in (ROLES / role / "tasks").glob("*.yml")}
    assert included == set(specs)


@pytest.mark.parametrize("role", NAMES)
def test_budgets_hold(role: str) -> None:
    tasks = 0
    for path in (ROLES / role / "tasks").glob("*.yml"):
        assert len(path.read_text().splitlines()) <= 80, path
        tasks += path.read_text().count("- name: ")
    assert tasks <= 25


def test_secrets_have_no_default_value() -> None:
    for path in ROLES.glob("*/defaults/main.yml"):
        for name, value in document(path).items():
            if any(word in name for word in ("key", "secret", "password")):
                assert not value, f"{name}: a secret has no default"


def test_every_file_reads_as_yaml() -> None:
    for path in [*ROLES.glob("**/*.yml"), *Path(ROLES.parent, "playbooks").glob("**/*.yml")]:
        yaml.safe_load(path.read_text())
