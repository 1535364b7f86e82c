"""The words of a maintenance: its message, its end, the page that shows them, and what the DSI may type."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from filae_ops.agent.arguments import parser
from filae_ops.agent.frontdoor import maintenance_page
from filae_ops.agent.system.errors import Refused

ROLES = Path(__file__).parents[4] / "roles"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x" * (64 * 1024 + 1), "longer than 64 KiB"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a\x1b[31mb", r"control character \(U\+001B, character 2\)"),
        (b"a\0b", r"U\+0000"),
        ("a\u202eb".encode(), r"U\+202E"),
        ("a\u0085b".encode(), r"U\+0085"),
    ],
)
def test_messages_that_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        maintenance_page.read_message(io.BytesIO(data))
    assert refused.value.owner == "dsi"


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"", ""),
        (b"\xef\xbb\xbfligne 1\r\nligne 2\n", "ligne 1\nligne 2"),
        ("Fiche n°\u202f12 — appeler le 15\tmerci".encode(), "Fiche n°\u202f12 — appeler le 15\tmerci"),
        (b"x" * (64 * 1024), "x" * (64 * 1024)),
    ],
)
def test_messages_are_plain_text(data: bytes, read: str) -> None:
    assert maintenance_page.read_message(io.BytesIO(data)) == read


@pytest.mark.parametrize(
    ("text", "hours"),
    [("10:30", 1), ("9:30", 24), ("09:29", 24 - 1 / 60), ("2026-11-22T12:30:00+01:00", 2), ("2026-11-23T09:30Z", 24)],
)
def test_the_end_is_a_time_to_come(text: str, hours: float) -> None:
    assert maintenance_page.parse_until(text, NOW) - NOW == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    [
        "25:00",
        "soon",
        "2026-11-22T09:00:00Z",
        "-",
        "2026-11-22 09:30Z",
        "9999999:00",
        "2028-01-01",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_ends_that_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="--until"):
        maintenance_page.parse_until(text, NOW)


def test_the_page_holds_the_message_as_text_and_needs_nothing_from_elsewhere() -> None:
    page = maintenance_page.page("Fiche <b>rouge</b> & 1\nligne\n\nAppeler le 15", NOW)
    assert "<p>Fiche &lt;b&gt;rouge&lt;/b&gt; &amp; 1<br>ligne</p>\n<p>Appeler le 15</p>" in page
    assert '<html lang="fr">' in page
    assert "<title>" in page
    assert "<h1>" in page
    assert re.search(
        r"Reprise prévue : <time datetime=\"2026-11-22T[^\"]+\">dimanche 22 novembre 2026 à \d\d:\d\d", page
    )
    assert re.findall(r'(?:src|href)="([^"]+)"', page) == ["/"]
    assert "procédure papier" in maintenance_page.page("", None)


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("maintenance", True),
        ("maintenance --json", True),
        ("maintenance on", True),
        ("maintenance on --message - --until 22:00", True),
        ("maintenance on --until 2026-11-22T06:00:00+01:00 --json", True),
        ("maintenance off --json", True),
        ("maintenance on --message /etc/shadow", False),
        ("maintenance on --message", False),
        ("maintenance on --until --message", False),
        ("maintenance on --until /etc/shadow", False),
        ("maintenance off --ended", False),
        ("maintenance on; reboot", False),
        ("maintenance on\nrecover", False),
        ("recover", False),
    ],
)
def test_what_the_dsi_may_run(words: str, allowed: bool) -> None:
    """Sudo compares its expression with the words in one line; what passes can read no file of root's."""
    text = (ROLES / "agent/templates/sudoers.j2").read_text()
    expressions = [found.replace("\\:", ":") for found in re.findall(r"\^(\w.*?)\$", text)]
    assert any(re.fullmatch(each, words) for each in expressions) == allowed
    if allowed:
        assert parser().parse_args(words.split()).message in (None, "-")
