"""Where the playbooks, roles, templates and host checks lie: in a checkout or in the installed wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """Return the path of a shipped file, such as `data_path("playbooks", "provision.yml")`."""
    installed = PACKAGE / "_data"
    return (installed if installed.is_dir() else PACKAGE.parent).joinpath(*parts)


def checkout() -> Path | None:
    """Return the root of the checkout that runs, or None when the wheel runs."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "playbooks").is_dir() else None
