"""A release's own words: which sections, and bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from filae_ops.agent.bundle import archive, changelog
from filae_ops.agent.system.errors import Refused

CHANGES = """# Nouveautés

## 2.1.0 (2026-11-02)

- Un dossier peut être urgent.

### Détail

## [2.0.5] - 2026-10-01

- Corrigé.

# v2.0.0

- Premier.
"""


@pytest.mark.parametrize(
    ("after", "upto", "kept", "not_kept"),
    [
        ("2.0.0", "2.1.0", ["## 2.1.0 (2026-11-02)", "### Détail", "## [2.0.5] - 2026-10-01"], ["# v2.0.0"]),
        ("2.0.5", "2.1.0", ["## 2.1.0 (2026-11-02)"], ["- Corrigé."]),
        ("", "2.0.5", ["- Corrigé."], ["# v2.0.0", "### Détail"]),
        ("1.0.0", "2.0.0", ["# v2.0.0"], ["- Corrigé."]),
        ("2.1.0", "2.2.0", [], ["## 2.1.0 (2026-11-02)"]),
    ],
)
def test_sections_between_two_versions(after: str, upto: str, kept: list[str], not_kept: list[str]) -> None:
    lines = changelog.sections(CHANGES.encode(), after, upto)
    assert set(kept) <= set(lines)
    assert not set(not_kept) & set(lines)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe## 2.1.0", b"## 2.1.0\n" + b"x" * 10_000_000, b"## 99999999999.0\n"])
def test_any_bytes_give_a_bounded_text(data: bytes) -> None:
    assert all(len(line) <= changelog.MAX_COLUMNS for line in changelog.sections(data, "2.0.0", "2.1.0"))


def test_a_long_changelog_is_cut_and_said_to_be() -> None:
    lines = changelog.sections(b"## 2.1.0\n" + b"- more\n" * 500, "2.0.0", "2.1.0")
    assert (len(lines), lines[-1]) == (changelog.MAX_LINES + 1, "… and 421 lines more")


def test_a_release_without_changelog_or_with_a_link_in_its_place_says_nothing(tmp_path: Path) -> None:
    assert changelog.of_release(tmp_path, "2.0.0", "2.1.0") == []
    (tmp_path / "elsewhere").write_text(CHANGES)
    (tmp_path / "CHANGELOG.md").symlink_to("elsewhere")
    assert changelog.of_release(tmp_path, "2.0.0", "2.1.0") == []


def test_an_unreadable_bundle_has_no_words(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"no bundle")
    with pytest.raises(Refused):
        archive.read_file(tmp_path / "b", "CHANGELOG.md", 10)
    assert changelog.of_bundle(tmp_path / "b", "2.0.0", "2.1.0") == []
