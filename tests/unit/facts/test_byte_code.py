"""Byte code is a package's when it came with it, or is what its module compiles to."""

from __future__ import annotations

import py_compile
import sys
import time
from pathlib import Path

import pytest

from filae_ops.facts import byte_code, package_files

SOURCE = "def root():\n    return {'a', 'b'}, 1.5, [each for each in (1, 2)]\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that a package brought an hour ago."""
    (source := tmp_path / "module.py").write_text(SOURCE)
    monkeypatch.setattr(package_files, "packaged", lambda path: path == str(source))
    monkeypatch.setattr(package_files, "brought_at", lambda path: time.time() - 3600)
    return source


def compiled(module: Path, text: str = SOURCE, *, optimise: int = -1) -> str:
    """Return the byte code that Python reads for a module, made of a text."""
    other = module.with_name("other.py")
    other.write_text(text)
    made = sys.implementation.cache_tag + (f".opt-{optimise}" if optimise > 0 else "")
    place = module.parent / "__pycache__" / f"{module.stem}.{made}.pyc"
    py_compile.compile(str(other), cfile=str(place), optimize=optimise, doraise=True)
    return str(place)


@pytest.mark.parametrize("optimise", [-1, 1, 2])
def test_what_a_module_compiles_to_is_known(module: Path, optimise: int) -> None:
    assert byte_code.of_a_module(compiled(module, optimise=optimise))


@pytest.mark.parametrize(
    "text",
    [
        SOURCE.replace("1.5", "1.6"),
        SOURCE.replace("root", "toor"),
        f"{SOURCE}import os\n",
        SOURCE.replace("'b'", "b'b'"),
    ],
)
def test_another_code_below_a_module_s_name_is_not(module: Path, text: str) -> None:
    assert not byte_code.of_a_module(compiled(module, text))


def test_it_is_not_read_where_it_came_with_the_package(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "brought_at", lambda path: time.time() - 5)
    assert byte_code.of_a_module(compiled(module, "import os\n"))


def test_it_is_read_where_the_package_s_time_is_not_known(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_files, "brought_at", lambda path: None)
    assert byte_code.of_a_module(compiled(module))
    assert not byte_code.of_a_module(compiled(module, "import os\n"))


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 64, bytes(16) + b"i\x01"])
def test_what_is_no_code_is_not(module: Path, content: bytes) -> None:
    Path(place := compiled(module)).write_bytes(content)
    assert not byte_code.of_a_module(place)


def test_a_module_of_no_package_has_none(module: Path) -> None:
    place = Path(compiled(module))
    assert not byte_code.of_a_module(str(place.with_name(f"x.{sys.implementation.cache_tag}.pyc")))
