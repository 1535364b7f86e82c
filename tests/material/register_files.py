"""A register of a test's own: the real files, one of them changed."""

from __future__ import annotations

from pathlib import Path

from filae_ops.register.lookup import HERE


def changed(directory: Path, name: str, old: str, new: str) -> Path:
    """Write the register's file `name` with its first `old` replaced by `new`, and return its path."""
    text = (HERE / name).read_text()
    assert old in text, f"{name} has no {old!r}"
    path = directory / Path(name).name
    path.write_text(text.replace(old, new, 1))
    return path
