"""The reviews of many sites, in as many processes as there are processors."""

from __future__ import annotations

import copyreg
import datetime as dt
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filae_ops.errors import OpsError
from filae_ops.language import Lang
from filae_ops.register.lookup import requirement
from filae_ops.register.model import Requirement
from filae_ops.report.review.one_site import prepare, review_of

if TYPE_CHECKING:
    from filae_ops.inventory.reading.ansible_pool import ManyValues
    from filae_ops.report.review.document import ReviewDocument

_reader: ManyValues | None = None


def reviews(paths: Sequence[Path], as_of: dt.date, lang: Lang) -> list[ReviewDocument]:
    """Return the review of each path, in order; the first that is refused ends them all."""
    prepare(lang)  # once, before the processes part: each inherits it
    workers = min(os.cpu_count() or 1, len(paths))
    with ProcessPoolExecutor(workers, get_context("fork"), _start) as pool:
        found = pool.map(partial(_review, as_of=as_of, lang=lang), paths)
        return [_or_refuse(each, pool) for each in found]


def _start() -> None:
    global _reader
    from filae_ops.inventory.reading.ansible_pool import ManyValues

    copyreg.pickle(Requirement, _by_id)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # the process that was asked says that it was interrupted
    _reader = ManyValues()


def _by_id(rule: Requirement) -> tuple[Callable[[str], Requirement], tuple[str]]:
    """Requirements are most of a review, and the same in every process: only their ids go between them."""
    return requirement, (rule.id,)


def _review(path: Path, as_of: dt.date, lang: Lang) -> ReviewDocument | tuple[str, dict[str, Any]]:
    from filae_ops.inventory.reading.load import load

    assert _reader
    try:
        # Only one site has pages: what they say besides the verdicts stays in this process.
        return replace(review_of(load(path, reader=_reader, awaited=True), as_of, lang), sections=())
    except OpsError as error:  # an error whose making takes words does not cross between processes
        plain = {"owner": error.owner, "next_step": error.next_step, "exit_code": error.exit_code}
        return str(error.args[0]), plain


def _or_refuse(found: ReviewDocument | tuple[str, dict[str, Any]], pool: ProcessPoolExecutor) -> ReviewDocument:
    if isinstance(found, tuple):
        pool.shutdown(wait=False, cancel_futures=True)
        raise OpsError(found[0], **found[1])
    return found
