"""Render a role's template as Ansible would, with plain Jinja: the toolkit's filters alone, nothing undefined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import yaml

from filae_ops.writers.filters import FILTERS

ROLES = Path(__file__).parents[2] / "roles"


def render(role: str, template: str, **values: Any) -> str:
    """Return the text of a template; an undefined value is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLES / role / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS
    return environment.get_template(template).render(**values)


def document(path: Path) -> dict[str, Any]:
    """Return a YAML file, empty when it is not there."""
    return (yaml.safe_load(path.read_text()) or {}) if path.is_file() else {}
