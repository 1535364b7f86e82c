"""The threat model names tests; each is there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/reference/threat-model.md"
ACTORS = (
    "operator", "DSI", "application", "network", "supplier of bundles", "author of inventories", "Whoever changed",
    "machine",
)  # fmt: skip


def test_each_claim_is_shown_by_a_test_that_is_there() -> None:
    text = PAGE.read_text()
    claims = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| cannot")]
    assert len(claims) > 15
    assert all("`test_" in line for line in claims)
    written = "\n".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in written] == []


def test_each_actor_has_what_it_can_and_what_it_cannot() -> None:
    paragraphs = [part for part in PAGE.read_text().split("\n\n") if part.startswith("**")]
    assert len(paragraphs) == len(ACTORS)
    for actor, paragraph in zip(ACTORS, paragraphs, strict=True):
        assert actor in paragraph.partition(".")[0]
        assert "*Can* " in paragraph
