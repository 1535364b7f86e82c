"""The sheet with which a provider asks a DSI for the machine: made from the inventory, even one still to fill in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from filae_ops.inventory.reading.draft import Draft
from filae_ops.language import Lang
from filae_ops.report.document.blocks import Section
from filae_ops.report.document.rendering import render, words
from filae_ops.report.document.values import day as written
from filae_ops.report.flows.matrix import Line
from filae_ops.report.request import machine_part as itself
from filae_ops.report.request import network_and_people_part as around
from filae_ops.report.request.draft_values import Asking

FIRST_ACCOUNT = "debian"
"""The account that Debian's cloud images have."""


@dataclass(frozen=True)
class Sheet:
    """The request, ready to be written in any form."""

    lang: Lang
    site: str
    day: str
    facts: tuple[tuple[str, str], ...]
    answers: str
    """How many values are asked for, and what that means."""
    sections: tuple[Section, ...]
    lines: tuple[Line, ...]
    """Of the flow matrix."""
    asked: frozenset[str]
    """Places of the values asked for."""


def sheet(draft: Draft, lang: Lang, *, account: str = FIRST_ACCOUNT, day: dt.date | None = None) -> Sheet:
    """Return the request; `account` is the one that the DSI delivers, `day` its date (today)."""
    asking, date = Asking(draft, lang), day or dt.date.today()
    facts = _cover(asking, date)
    sections = (
        itself.machine(asking), itself.disks(asking), itself.system(asking), around.network(asking),
        around.flows(asking), around.services(asking), around.certificate(asking), around.backup(asking),
        around.accounts(asking, account, date), around.raci(asking), itself.handover(asking, account),
        around.calendar(asking),
    )  # fmt: skip
    say = asking.say["answers"]
    answers = str(say["some"]).format(count=len(asking.asked)) if asking.asked else str(say["none"])
    return Sheet(
        lang=lang, site=asking.text("site.name"), day=written(date.isoformat(), lang), facts=facts, answers=answers,
        sections=sections, lines=tuple(around.flow_lines(asking)), asked=frozenset(asking.asked),
    )  # fmt: skip


def _cover(asking: Asking, day: dt.date) -> tuple[tuple[str, str], ...]:
    say = asking.say["cover"]
    models, environments = asking.say["models"], asking.say["environments"]

    def contact(side: str) -> str:
        parts = [asking.text(f"site.contacts.{side}.name"), asking.text(f"site.contacts.{side}.email")]
        phone = asking.draft.get(f"site.contacts.{side}.phone")
        return ", ".join([*dict.fromkeys(parts), *([str(phone)] if phone else [])])

    return (
        (say["site"], asking.text("site.name")),
        (say["establishment"], asking.text("site.establishment")),
        (say["environment"], asking.text("site.environment", lambda kind: str(environments.get(kind, kind)))),
        (say["model"], asking.text("hosting.model", lambda kind: str(models.get(kind, kind)))),
        (say["from"], contact("provider")), (say["to"], contact("dsi")),
        (say["day"], written(day.isoformat(), asking.lang)), (say["fingerprint"], asking.draft.fingerprint),
    )  # fmt: skip


def as_html(made: Sheet) -> str:
    """Return the request as one page."""
    return _render("request/sheet.html.j2", made)


def as_markdown(made: Sheet) -> str:
    """Return the request as Markdown."""
    return _render("request/sheet.md.j2", made)


def _render(template: str, made: Sheet) -> str:
    say = words("request", made.lang)
    return render(
        template, made.lang, words=say, title=say["title"], site=made.site, day=made.day, sheet=made,
        footer=f"{say['title']} · {made.site} · {made.day}",
    )  # fmt: skip
