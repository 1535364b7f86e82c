"""The minutes of a verification in a real browser: read, printed, by a screen reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from browser import Browser
from material.verifications import found
from paper import MARK, printed

from filae_ops.report.minutes.minutes_page import html


@pytest.fixture(scope="module", params=["fr", "en"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The page, open."""
    place = tmp_path_factory.mktemp("minutes")
    (place / "minutes.html").write_text(html(found(request.param)))
    made = Browser(place)
    made.open((place / "minutes.html").as_uri())
    yield made
    made.close()


def test_it_is_read_and_says_no_error(page: Browser) -> None:
    text = page.run("return document.body.innerText")
    for wanted in ("chv-demo", "DSI-10", "72 h", "OS-01", "alert(1)"):
        assert wanted in text
    assert page.run("return document.querySelectorAll('script').length") == 0
    assert page.run("return performance.getEntriesByType('resource').length") == 0, "nothing is fetched"
    assert page.console() == []


def test_axe_finds_nothing_serious(page: Browser) -> None:
    page.run(resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    answer: Any = page._call("POST", "/execute/async", {"script": "axe.run().then(arguments[0])", "args": []})
    grave = [each["id"] for each in answer["violations"] if each["impact"] in ("serious", "critical")]
    assert grave == []
    assert len(answer["passes"]) > 15, "axe looked"


def test_no_row_is_cut_on_paper(page: Browser) -> None:
    rows = page.run(MARK)
    sheets = printed(page)
    held: dict[str, set[int]] = {}
    for number, sheet in enumerate(sheets):
        for row in re.findall(r"R\d+x\d+R", sheet.text):
            held.setdefault(row, set()).add(number)
    assert len(held) == rows, "every row is printed"
    assert [row for row, pages in held.items() if len(pages) > 1] == []
    assert [number for number, sheet in enumerate(sheets) if sheet.beyond > 0] == []
    assert all("chv-demo" in sheet.text for sheet in sheets)
