"""The reference documentation says what the code says, and every document's link leads somewhere."""

from __future__ import annotations

import datetime as dt
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


def test_each_key_that_programs_read_is_documented() -> None:
    from filae_ops.inventory.reading.load import load
    from filae_ops.report.review.one_site import review_of

    text = (ROOT / "docs/reference/json.md").read_text()
    document = review_of(load(ROOT / "inventories/hospital-vm"), dt.date(2026, 11, 22), "fr").document()
    wanted = {*document, *document["requirements"][0], "checks", "by_owner", "summary", "declared", "observed"}
    assert {key for key in wanted if f"`{key}`" not in text} == set()
