"""`filae-ops review`: what the inventory declares against what each party is held to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Json, inventories_of
from filae_ops.console import out, print_json, say
from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from filae_ops.report.review.document import ReviewDocument

BELOW_ASKED = 3


class LangName(StrEnum):
    """Languages of the documents."""

    FR = "fr"
    EN = "en"


class Level(StrEnum):
    """Severities that a review may fail on."""

    BLOCK = "block"
    MAJOR = "major"
    WARN = "warn"


Lang = Annotated[LangName, typer.Option("--lang", metavar="fr|en", help="Language of what is shown and written.")]
AsOf = Annotated[
    dt.datetime | None,
    typer.Option("--as-of", metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help="Day of the review; default: today."),
]
FailOn = Annotated[
    Level | None,
    typer.Option(
        "--fail-on",
        metavar="block|major|warn",
        help="Exit 3 when a verdict of this severity or above is open. A legal question always stops; what only "
        "`verify` can measure never does.",
    ),
]
Page = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Also write one page to read, print and sign.")
]
Diff = Annotated[
    str | None,
    typer.Option(
        "--diff",
        metavar="REV|DIR",
        help="Also say what changed since a revision of the inventory's repository, or an older folder of it.",
    ),
]
Markdown = Annotated[Path | None, typer.Option("--markdown", metavar="FILE", help="Also write the same in Markdown.")]


def review(
    context: typer.Context,
    html: Page = None,
    markdown: Markdown = None,
    lang: Lang = LangName.FR,
    as_of: AsOf = None,
    fail_on: FailOn = None,
    diff: Diff = None,
    as_json: Json = False,
) -> None:
    """Judge the inventory, for those who decide and sign. Says who answers and what is missing; touches no machine.

    Each verdict says why, with its source and date; nothing is compliant by absence. Several -i: one line for each.
    """
    paths = inventories_of(context)
    if html or markdown:
        _one_site(paths, "--html and --markdown are")
    day = as_of.date() if as_of else dt.date.today()
    reviews = _reviews(paths, day, lang) if diff is None else [_compared(paths, diff, day, lang)]
    write(reviews[0], html, markdown)
    if as_json:
        documents = [each.document() for each in reviews]
        print_json(documents[0] if len(documents) == 1 else documents)
    else:
        show(reviews)
    if fail_on is not None:
        _fail(reviews, fail_on)


def _reviews(paths: Sequence[Path], day: dt.date, lang: LangName) -> list[ReviewDocument]:
    if len(paths) == 1:
        from filae_ops.report.review.one_site import review_at

        return [review_at(paths[0], day, lang.value)]
    from filae_ops.report.review.many_sites import reviews

    return reviews(paths, day, lang.value)


def _compared(paths: Sequence[Path], other: str, day: dt.date, lang: LangName) -> ReviewDocument:
    from filae_ops.report.review.compared_review import compared_review

    _one_site(paths, "--diff is")
    return compared_review(paths[0], other, day, lang.value)


def _one_site(paths: Sequence[Path], what: str) -> None:
    if len(paths) > 1:
        raise OpsError(
            f"{len(paths)} inventories were named; {what} about one site",
            next_step=f"filae-ops -i {paths[0]} review …, then the next", exit_code=2,
        )  # fmt: skip


def write(review: ReviewDocument, html: Path | None, markdown: Path | None) -> None:
    """Write the documents that were asked for, each whole or not at all."""
    from filae_ops.report.document.rendering import write_document
    from filae_ops.report.review import review_page

    for path, make in ((html, review_page.html), (markdown, review_page.markdown)):
        if path is not None:
            write_document(path, make(review))
            say(f"wrote {path}")


def show(reviews: Sequence[ReviewDocument]) -> None:
    """Print one review, or one line for each of several."""
    from filae_ops.report.review.review_terminal import show as show_one
    from filae_ops.report.review.review_terminal import show_sites

    if len(reviews) == 1:
        show_one(reviews[0], out)
    else:
        show_sites(reviews, out)


def _fail(reviews: Sequence[ReviewDocument], level: Level) -> None:
    stopped = {each.site: each.judgement.stopped_by(level.value) for each in reviews}
    for review in reviews:
        if stopped[review.site]:
            severity = review.say["severities"][level.value]
            words = review.say["terminal"]["stopped"].format(count=len(stopped[review.site]), severity=severity)
            say(f"{review.site}: {words}")
    if any(stopped.values()):
        raise typer.Exit(BELOW_ASKED)
