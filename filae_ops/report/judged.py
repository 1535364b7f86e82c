"""From a path to a review: the one place that reads the inventory, its evidence and the register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filae_ops.judge.case.verdict import Judgement
from filae_ops.language import Lang

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory
    from filae_ops.report.provenance import Provenance
    from filae_ops.report.review import ReviewDocument


def review_of(inventory: Inventory, as_of: dt.date, lang: Lang, *, origin: Provenance | None = None) -> ReviewDocument:
    """Return the review of a loaded inventory on a day; `origin` left out, git says which commit holds it."""
    from filae_ops.report.provenance import provenance
    from filae_ops.report.review import review_document

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


def reviews_of(paths: Sequence[Path], as_of: dt.date, lang: Lang) -> list[ReviewDocument]:
    """Return the review of each path, in order."""
    from filae_ops.inventory.reading.load import load

    if len(paths) > 1:
        from filae_ops.report.several import reviews

        return reviews(paths, as_of, lang)
    return [review_of(load(paths[0], reader=partial(_values, lang=lang), awaited=True), as_of, lang)]


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
    import filae_ops.report.flows
    import filae_ops.report.provenance
    import filae_ops.report.review  # noqa: F401
    from filae_ops.judge.case.register import load_register
    from filae_ops.judge.words import said
    from filae_ops.report.pages import words

    load_register()
    said(lang)
    words("review", lang)
    words("flows", lang)
