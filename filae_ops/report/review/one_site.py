"""From a path to a review: the one place that reads the inventory, its evidence and the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filae_ops.judge.case.verdict import Judgement
from filae_ops.language import Lang

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory
    from filae_ops.report.review.document import ReviewDocument
    from filae_ops.report.review.provenance import Provenance


def review_at(path: Path, as_of: dt.date, lang: Lang) -> ReviewDocument:
    """Return the review of the inventory at a path on a day."""
    from filae_ops.inventory.reading.load import load

    return review_of(load(path, reader=partial(_values, lang=lang), awaited=True), as_of, lang)


def review_of(inventory: Inventory, as_of: dt.date, lang: Lang, *, origin: Provenance | None = None) -> ReviewDocument:
    """Return the review of a loaded inventory on a day; `origin` left out, git says which commit holds it."""
    from filae_ops.report.review.document import review_document
    from filae_ops.report.review.provenance import provenance

    tree, judgement, ends = judged(inventory, as_of)
    origin = origin or provenance(inventory.directory, inventory.fingerprint)
    return review_document(inventory, tree, judgement, lang, origin, ends=ends)


def judged(inventory: Inventory, as_of: dt.date) -> tuple[dict[str, Any], Judgement, Mapping[str, dt.date]]:
    """Return what an inventory declares, what the judge says of it, and its certificates' last days by path."""
    from filae_ops.inventory.reading.declared_tree import declared_tree
    from filae_ops.judge.case.evidence import certificate_ends, read_evidence
    from filae_ops.judge.case.register import load_register
    from filae_ops.judge.judge import judge

    tree = declared_tree(inventory)
    evidence = read_evidence(inventory.directory, tree)
    ends = certificate_ends(inventory.directory, tree, evidence)
    return tree, judge(tree, load_register(), as_of, evidence=evidence, certificates=ends), ends


def _values(hosts_file: Path, lang: Lang) -> dict[str, dict[str, Any]]:
    """Return what Ansible reads; what the review needs besides is loaded while its process runs."""
    from concurrent.futures import ThreadPoolExecutor

    from filae_ops.inventory.reading.ansible_values import ansible_values

    with ThreadPoolExecutor(1) as pool:
        values = pool.submit(ansible_values, hosts_file)
        prepare(lang)
        return values.result()


def prepare(lang: Lang) -> None:
    """Load what every review needs: the register, the words, the libraries."""
    import cryptography.x509  # noqa: F401

    import filae_ops.inventory.reading.load
    import filae_ops.judge.case.evidence
    import filae_ops.judge.judge
    import filae_ops.report.flows.matrix
    import filae_ops.report.review.document
    import filae_ops.report.review.provenance  # noqa: F401
    from filae_ops.judge.case.register import load_register
    from filae_ops.judge.words import said
    from filae_ops.report.document.rendering import words

    load_register()
    said(lang)
    words("review", lang)
    words("flows", lang)
