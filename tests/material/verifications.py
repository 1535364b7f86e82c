"""The minutes of a whole verification: every host check, some failed, some not measured."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any

from material.reviews import DAY, EVIL, demo

from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.minutes.minutes import Minutes, minutes
from filae_ops.report.minutes.saved_verification import verification
from filae_ops.report.review.one_site import judged
from filae_ops.verification.declared_and_measured import merge
from filae_ops.verification.verify import Report, verdicts

FAILED = {
    "backup-receipt": ("late", {"hours": 72, "declared": 24}),
    "os-declared": ("different", {"found": "debian 12", "declared": "debian 13"}),
    "service-failed": ("failed", {"units": [EVIL], "first": EVIL}),
}
NOT_MEASURED = {"flow-in": ("not_measured", {"error": EVIL}), "internet-in": ("not_measured", {"error": "no answer"})}


@cache
def found(lang: Lang) -> Minutes:
    """Return minutes with contradictions, failures, a hostile message and holes."""
    return minutes(verification(report().document() | about(), "the verification"), lang)


@cache
def report() -> Report:
    tree, judgement, _ = judged(demo(), DAY)
    checks = verdicts(list(_rows()))
    return Report(checks, hosts=tuple(demo().hosts), merged=merge(judgement, checks, tree))


def about() -> dict[str, Any]:
    site = demo().site
    return {
        "site": site.name, "establishment": site.establishment, "environment": site.environment,
        "machines": ["filae-1"], "at": "2026-11-22T10:11:12+01:00", "filae_ops": "1.0", "only": None,
        "inventory": {"sha256": demo().fingerprint, "commit": None, "modified": False},
    }  # fmt: skip


def _rows() -> Iterator[dict[str, Any]]:
    """Return what the host checks would write, read from their marks."""
    for path in sorted(data_path("tests", "host").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                (mark,) = node.decorator_list
                assert isinstance(mark, ast.Call)
                name, requirement = (ast.literal_eval(word) for word in mark.args)
                against = [ast.literal_eval(word.value) for word in mark.keywords]
                status = "fail" if name in FAILED else "not_run" if name in NOT_MEASURED else "pass"
                code, values = (FAILED | NOT_MEASURED).get(name, ("holds", {}))
                yield {
                    "id": name, "requirement": requirement, "host": "filae-1", "status": status, "code": code,
                    "values": values, "against": [*against[0]] if against else [],
                }  # fmt: skip
