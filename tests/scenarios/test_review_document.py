"""The review in a real browser: read, printed, by keyboard, by a screen reader, without scripts, from any inventory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from material.reviews import demo, hostile, review
from paper import MARK, Sheet, printed

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.report.document.rendering import write_document
from filae_ops.report.review.document import ReviewDocument
from filae_ops.report.review.one_site import review_of
from filae_ops.report.review.review_page import html

DAY = review().judgement.as_of
TAB, ENTER = "\ue004", "\ue007"
FLOWS = 200
LONG = "x" * 300
Show = Callable[[ReviewDocument], Browser]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    made = Browser(tmp_path_factory.mktemp("browser"))
    yield made
    made.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Show]:
    def _show(document: ReviewDocument) -> Browser:
        page = tmp_path / "revue.html"
        write_document(page, html(document))
        browser.open(page.as_uri())
        return browser

    yield _show
    cdp(browser, "Emulation.setScriptExecutionDisabled", value=False)
    cdp(browser, "Emulation.clearDeviceMetricsOverride")
    browser.open("about:blank")


def cdp(browser: Browser, command: str, **parameters: Any) -> Any:
    return browser._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})


def crowded() -> Inventory:
    """Return an inventory with 200 flows, and words that no line can hold."""
    first = demo().flows[0]
    texts = {"description": f"Flux {LONG}", "data": LONG, "justification": f"{LONG} ; " + "motif du flux " * 5}
    long = first.model_copy(update=texts)
    flows = tuple((first if n % 7 else long).model_copy(update={"id": f"flux-{n}"}) for n in range(FLOWS))
    site = demo().site.model_copy(update={"establishment": LONG})
    return demo().model_copy(update={"flows": flows, "site": site})


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_page_is_read_and_says_no_error(show: Show, lang: Any) -> None:
    browser = show(review_of(demo(), DAY, lang))
    text = browser.run("return document.body.innerText")
    for wanted in ("chv-demo", "Valombre", "NET-01", "RGPD-01", "192.0.2.10", "Debian 13", "amartin"):
        assert wanted in text
    assert browser.run("return document.title").endswith("22/11/2026" if lang == "fr" else "2026-11-22")
    assert browser.run("return performance.getEntriesByType('resource').length") == 0, "nothing is fetched"
    assert browser.console() == []


def test_the_page_needs_no_script(show: Show, browser: Browser) -> None:
    cdp(browser, "Emulation.setScriptExecutionDisabled", value=True)
    show(review())
    root = cdp(browser, "DOM.getDocument")["root"]["nodeId"]
    page = cdp(browser, "DOM.getOuterHTML", nodeId=root)["outerHTML"]
    assert "Décision de l'établissement" in page
    assert "<script" not in page
    assert any("Plan d'action" in sheet.text for sheet in printed(browser))


@pytest.mark.parametrize("document", [review("fr"), review("en", inventory=hostile())], ids=["fr", "hostile"])
def test_axe_finds_nothing_serious(show: Show, document: ReviewDocument) -> None:
    browser = show(document)
    browser.run(resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = browser._call("POST", "/execute/async", {"script": "axe.run().then(arguments[0])", "args": []})
    grave = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in grave] == []
    assert len(found["passes"]) > 20, "axe looked"


def test_the_keyboard_goes_first_to_the_content(show: Show) -> None:
    browser = show(review())
    press(browser, TAB)
    focused = "const at = document.activeElement; const box = at.getBoundingClientRect(); "
    skip = browser.run(f"{focused} return [at.getAttribute('href'), box.top >= 0 && box.height > 20]")
    assert skip == ["#content", True], "the skip link is first, and shows"
    press(browser, ENTER)
    assert browser.run("return document.activeElement.id") == "content"
    press(browser, TAB)
    seen = "const style = getComputedStyle(at); return [style.outlineStyle, parseFloat(style.outlineWidth)]"
    style, width = browser.run(focused + seen)
    assert (style, width >= 2) == ("solid", True), "where the focus is shows"


def press(browser: Browser, key: str) -> None:
    strokes = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
    browser._call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_only_tables_scroll_sideways(show: Show, browser: Browser, width: int) -> None:
    """At 320 pixels, as at 400 % zoom, one reads down the page."""
    cdp(browser, "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    show(review("fr", inventory=crowded()))
    assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "document", [review_of(demo(), DAY, "fr"), review("en", inventory=crowded())], ids=["fr", "crowded"]
)
def test_no_table_is_cut_on_paper(show: Show, document: ReviewDocument) -> None:
    browser = show(document)
    rows = browser.run(MARK)
    sheets = printed(browser)
    held: dict[str, set[int]] = {}
    for number, sheet in enumerate(sheets):
        for row in re.findall(r"R\d+x\d+R", sheet.text):
            held.setdefault(row, set()).add(number)
    assert len(held) == rows, "every row is printed"
    assert {row: pages for row, pages in held.items() if len(pages) > 1} == {}, "a row is on one sheet"
    assert headless(sheets) == [], "a sheet that holds rows says what their columns are"
    assert [number for number, sheet in enumerate(sheets) if sheet.beyond > 0] == []


def headless(sheets: list[Sheet]) -> list[tuple[int, str]]:
    """Return the tables that go on without their head on a sheet, and the heads that stand there without a row."""
    found = []
    for number, sheet in enumerate(sheets, 1):
        rows, heads = set(re.findall(r"R(\d+)x\d+R", sheet.text)), set(re.findall(r"H(\d+)H", sheet.text))
        found += [(number, f"table {each} without its head") for each in rows - heads]
        found += [(number, f"head of table {each} alone") for each in heads - rows]
    return found


def test_wide_chapters_are_turned_and_each_sheet_says_whose_it_is(show: Show) -> None:
    sheets = printed(show(review()))
    turned = [sheet for sheet in sheets if sheet.turned]
    assert turned
    assert any("192.0.2.64/26" in sheet.text for sheet in turned)
    assert not sheets[0].turned
    for number, sheet in enumerate(sheets, 1):
        assert "chv-demo" in sheet.text
        assert f"{number} / {len(sheets)}" in sheet.text
