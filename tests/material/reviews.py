"""A hand-made judgement, with every status and a hostile inventory: what a review must show, and must not run."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Any

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.declared_tree import declared_tree
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.judge.case.verdict import EvidenceFile, Finding, ImmunityVerdict, Judgement, Row, Verdict
from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.register.lookup import requirements
from filae_ops.report.review.document import ReviewDocument, review_document
from filae_ops.report.review.provenance import Provenance

DAY = dt.date(2026, 11, 22)
EVIL = "</td><script>alert(1)</script>|*x*`y`[a](javascript:b)<!--"
SHA = "ab" * 32


def offline(hosts_file: Path) -> dict[str, dict[str, Any]]:
    """Stand for ansible-inventory, which says the same."""
    return read(hosts_file).hostvars()


@cache
def demo() -> Inventory:
    return load(data_path("inventories", "demo"), reader=offline)


def verdicts() -> tuple[Verdict, ...]:
    """Return one verdict of each status, and of each kind of gesture."""
    rules = requirements()

    def one(name: str, status: Any, outcome: Any, field: str = "", **more: Any) -> Verdict:
        memory = more.pop("memory", False)
        return Verdict(rules[name], status, (Finding(outcome, outcome, field, **more),), memory)

    return (
        one("NET-01", "non_compliant", "contrary", "network.inbound_internet", value=False, expected=True),
        one("BCK-03", "gap", "expired", "backup.offsite.interval_days", value=30, expected=7),
        one("RGPD-01", "to_document", "missing", "documents.art28"),
        one("HDS-24", "legal_question", "unsure"),
        one("DSI-02", "to_confirm", "unmeasured"),
        one("RGPD-02", "to_confirm", "holds", "documents.register_entry", memory=True),
        one("NET-02", "to_confirm", "unsure"),
        one("NET-04", "compliant", "holds", "flows", value=8),
        one("HDS-04", "not_applicable", "holds", "hosting.model"),
    )


def raci() -> tuple[Row, ...]:
    expected = {"dsi": "A", "provider": "R"}
    return (
        Row("D-POWER", "Machines allumées", "Machines powered", "Texte, 1", expected, None),
        Row("D-PATCH", "Correctifs", "Patches", "Texte, 2", expected, {"dsi": "R", "provider": "A"}),
        Row("D-KEYS", "Clés d'accès", "Access keys", "Texte, 3", None, None, activity5=True),
    )


def judgement() -> Judgement:
    files = {
        "evidence/art28.pdf": EvidenceFile("evidence/art28.pdf", SHA, 1234),
        "evidence/absent.pdf": EvidenceFile("evidence/absent.pdf", problem="absent"),
    }
    return Judgement(DAY, verdicts(), ImmunityVerdict("not_established", 6, ()), raci(), files)


def review(
    lang: Lang = "fr", *, found: Judgement | None = None, inventory: Inventory | None = None, **declared: Any
) -> ReviewDocument:
    """Return a review; `declared`: sections put over what the demo inventory declares."""
    site = inventory or demo()
    tree = declared_tree(site) | declared
    origin = Provenance(SHA, "c0ffee" * 6 + "c0ff", modified=True)
    return review_document(site, tree, found or judgement(), lang, origin)


def hostile() -> Inventory:
    """Return an inventory whose every free text is an attack on a page, a table and a terminal."""
    site = demo().site.model_copy(update={"establishment": EVIL})
    flow = demo().flows[0].model_copy(update={"description": EVIL, "data": EVIL, "justification": "=cmd|' /C calc'!A0"})
    return demo().model_copy(update={"site": site, "flows": (flow, *demo().flows[1:])})
