"""From a path to a review: the one place that reads the inventory, its evidence and the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filae_ops.judge.verdict import Judgement
from filae_ops.report.pages import Lang

if TYPE_CHECKING:
    from filae_ops.inventory.model import Inventory
    from filae_ops.report.review import ReviewDocument


def review_of(inventory: Inventory, as_of: dt.date, lang: Lang) -> ReviewDocument:
    """Return the review of a loaded inventory on a day."""
    from filae_ops.report.provenance import provenance
    from filae_ops.report.review import review_document

    tree, judgement, ends = judged(inventory, as_of)
    origin = provenance(inventory.directory, inventory.fingerprint)
    return review_document(inventory, tree, judgement, lang, origin, ends=ends)


def judged(inventory: Inventory, as_of: dt.date) -> tuple[dict[str, Any], Judgement, Mapping[str, dt.date]]:
    """Return what an inventory declares, what the judge says of it, and its certificates' last days by path."""
    from filae_ops.inventory.declared import declared_tree
    from filae_ops.judge.evidence import certificate_ends, read_evidence
    from filae_ops.judge.judge import judge
    from filae_ops.judge.register import load_register

    tree = declared_tree(inventory)
    evidence = read_evidence(inventory.directory, tree)
    ends = certificate_ends(inventory.directory, tree, evidence)
    return tree, judge(tree, load_register(), as_of, evidence=evidence, certificates=ends), ends


def reviews_of(paths: Sequence[Path], as_of: dt.date, lang: Lang) -> list[ReviewDocument]:
    """Return the review of each path; several inventories are read together, since each waits for Ansible."""
    import os
    from concurrent.futures import ThreadPoolExecutor

    from filae_ops.inventory.load import load

    if len(paths) == 1:
        return [review_of(load(paths[0]), as_of, lang)]
    with ThreadPoolExecutor(max_workers=(os.cpu_count() or 1) + 1) as pool:
        inventories = list(pool.map(load, paths))
    return [review_of(each, as_of, lang) for each in inventories]
