"""The flow matrix as a page: fifteen columns, on A4 turned."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from filae_ops.language import Lang
from filae_ops.report.document.rendering import render, words
from filae_ops.report.document.values import day as written
from filae_ops.report.flows.matrix import WIDTHS, cells, headers, lines_of

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory


def page(inventory: Inventory, lang: Lang, day: dt.date | None = None) -> str:
    """Return the matrix as one HTML file."""
    said, site = words("flows", lang), inventory.site
    date = written((day or dt.date.today()).isoformat(), lang)
    found = lines_of(inventory)
    tables = [
        (said[title], [cells(line, lang) for line in found if line.always is always])
        for title, always in (("declared", False), ("always_open", True))
    ]
    about = (
        (said["site"], site.name), (said["environment"], site.environment),
        (said["machines"], ", ".join(inventory.hosts)),
        (said["day"], date), (said["revised"], inventory.fingerprint),
    )  # fmt: skip
    return render(
        "flows/matrix.html.j2", lang, words=said, title=said["title"], site=site.name, day=date,
        footer=f"{said['title']} · {site.name} · {date}", establishment=site.establishment, about=about,
        headers=headers(lang), tables=tables, widths=[f"{width}%" for width in WIDTHS],
    )  # fmt: skip
