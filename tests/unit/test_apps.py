"""The reference application's client, as its build leaves it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from apps import digest_client, materialise


def client(version: str, place: Path) -> dict[str, str]:
    public = materialise("reference", version, place) / "public"
    files = [path for path in public.rglob("*") if path.suffix in (".js", ".css", ".html")]
    return {path.relative_to(public).as_posix(): path.read_text() for path in files}


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0"])
def test_every_script_and_style_has_its_digest_and_is_referred_to(tmp_path: Path, version: str) -> None:
    files = client(version, tmp_path)
    named = {name for name in files if name != "index.html"}
    assert all(re.fullmatch(r"(js/)?\w+-[0-9a-f]{8}\.(js|css)", name) for name in named)
    referred = {found for text in files.values() for found in re.findall(r'/([\w-]+\.(?:js|css))"', text)}
    assert referred == {name.rpartition("/")[2] for name in named}


def test_what_changed_and_what_imports_it_has_another_name(tmp_path: Path) -> None:
    first, second = (set(client(version, tmp_path / version)) for version in ("2.0.0", "2.1.0"))
    assert {name.split("-")[0] for name in first - second} == {"js/fields", "js/pages", "js/creation", "js/main"}


def test_a_circle_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import "./b.js";')
    (tmp_path / "b.js").write_text('import "./a.js";')
    with pytest.raises(ValueError, match="circle"):
        digest_client(tmp_path)
