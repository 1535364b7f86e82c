"""A printed page: which words lie on which sheet, and within its edges."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
from browser import Browser

A4 = {"width": 21.0, "height": 29.7}
MARK = """
let row = 0;
document.querySelectorAll('table').forEach((table, number) => {
  for (const cell of table.querySelectorAll('thead th')) cell.append(` H${number}H`);
  for (const line of table.querySelectorAll('tbody tr')) {
    row += 1;
    for (const cell of line.children) { cell.prepend(`R${number}x${row}R `); cell.append(` R${number}x${row}R`); }
  }
});
return row;
"""
"""Puts a mark at the head of each table, and at both ends of each cell: what is cut shows."""


@dataclass(frozen=True)
class Sheet:
    """One printed sheet."""

    text: str
    turned: bool
    beyond: float
    """How far, in points, text goes beyond the left or the right edge."""


def printed(browser: Browser) -> list[Sheet]:
    """Print the page that is open as a person does, on A4."""
    asked = {"page": A4, "background": True, "shrinkToFit": False}
    document = pdfium.PdfDocument(base64.b64decode(browser._call("POST", "/print", asked)))
    return [_sheet(page) for page in document]


def _sheet(page: Any) -> Sheet:
    width, height = page.get_size()
    text = page.get_textpage()
    boxes = [text.get_rect(number) for number in range(text.count_rects())]
    beyond = max((max(-left, right - width) for left, _, right, _ in boxes), default=0)
    return Sheet(text.get_text_range(), width > height, beyond)
