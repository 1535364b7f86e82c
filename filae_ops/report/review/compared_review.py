"""A review beside an older inventory of the same site: a revision of its repository, or a folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filae_ops.errors import OpsError
from filae_ops.language import Lang
from filae_ops.report.difference.difference import Against, Difference, Side, difference, side
from filae_ops.report.difference.git_revision import older
from filae_ops.report.difference.section import section
from filae_ops.report.review.one_site import judged, review_of

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory
    from filae_ops.judge.case.verdict import Judgement
    from filae_ops.report.review.document import ReviewDocument


def compared_review(path: Path, other: str, as_of: dt.date, lang: Lang) -> ReviewDocument:
    """Return the review of an inventory, with what changed since `other` as its first chapter.

    `other`: a folder that is there, else a revision of the repository that holds the inventory. OpsError otherwise.
    """
    from filae_ops.inventory.reading.load import load
    from filae_ops.inventory.reading.yaml_files import locate_directory

    with _other(locate_directory(path), other) as (folder, against, secrets), ThreadPoolExecutor(2) as pool:
        before, now = pool.submit(_load, folder, other), pool.submit(load, path, awaited=True)
        review = review_of(now.result(), as_of, lang)
        found = _difference(before.result(), now.result(), against, secrets, as_of)
    return replace(review, sections=(section(found, lang), *review.sections), difference=found)


@contextmanager
def _other(inventory: Path, other: str) -> Iterator[tuple[Path, Against, bytes | None]]:
    """Give the folder of the older inventory; a secrets.yml of a revision is never written to disk."""
    if other and Path(other).exists():
        yield Path(other), Against(str(other)), None
        return
    with older(inventory, other) as found:
        yield found.directory, Against(str(inventory), found.commit, found.day), found.secrets or b""


def _load(folder: Path, other: str) -> Inventory:
    from filae_ops.inventory.reading.load import load

    try:
        return load(folder, awaited=True)
    except OpsError as error:
        text = str(error.args[0]).replace(f"{folder}/", "").replace(str(folder), folder.name)
        raise OpsError(
            f"the older inventory ({other}) is refused, so nothing can be compared with it:\n{text}",
            owner=error.owner, next_step="name the version that was signed, which was accepted",
            exit_code=error.exit_code,
        ) from None  # fmt: skip


def _difference(
    before: Inventory, now: Inventory, against: Against, secrets: bytes | None, as_of: dt.date
) -> Difference:
    older_day: Judgement | None = None
    if against.day and dt.date.fromisoformat(against.day) < as_of:
        older_day = judged(before, dt.date.fromisoformat(against.day))[1]
    return difference(_side(before, as_of, secrets), _side(now, as_of, None), against, older_day)


def _side(inventory: Inventory, as_of: dt.date, secrets: bytes | None) -> Side:
    tree, judgement, _ = judged(inventory, as_of)
    return side(inventory, tree, judgement, secrets)
