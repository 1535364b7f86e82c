"""The reference documentation says what the code says, and every document's link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documentation import PAGES, ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", PAGES)
def test_reference_agrees_with_the_code(name: str) -> None:
    assert (ROOT / "docs/reference" / name).read_text() == PAGES[name](), "run .venv/bin/python tests/documentation.py"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!<?https?://)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 70
