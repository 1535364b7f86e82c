"""The verdicts as a reader sees them: words, who acts, source, date, evidence."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from filae_ops.judge.case.verdict import EvidenceFile, Judgement, Status, Verdict
from filae_ops.language import Lang
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import MISSING, day

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory

_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


@dataclass(frozen=True)
class Entry:
    """One verdict in words."""

    verdict: Verdict
    title: str
    status_text: str
    owner_text: str
    severity_text: str
    why: str
    """The reason, without its source."""
    reason: str
    source: str
    """Title and place."""
    dated: str
    """Date of the text, as the reader writes it; empty when it bears none."""
    confidence: str
    evidence: tuple[EvidenceFile, ...]

    @property
    def id(self) -> str:
        """Return the requirement's id."""
        return self.verdict.requirement.id

    @property
    def status(self) -> Status:
        """Return the verdict."""
        return self.verdict.status

    @property
    def owner(self) -> str:
        """Return who acts."""
        return self.verdict.requirement.owner


@dataclass(frozen=True)
class Context:
    """What every part of a review is made from."""

    inventory: Inventory
    tree: Mapping[str, Any]
    """What is declared, as plain JSON."""
    judgement: Judgement
    lang: Lang

    @property
    def say(self) -> Mapping[str, Any]:
        """Return the labels."""
        return words("review", self.lang)

    @property
    def as_of(self) -> dt.date:
        """Return the day of the review."""
        return self.judgement.as_of

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Return every verdict in words, in the register's order."""
        return tuple(self._entry(verdict) for verdict in self.judgement.verdicts)

    def _entry(self, verdict: Verdict) -> Entry:
        from filae_ops.judge import words as judged

        rule, say, french = verdict.requirement, self.say, self.lang == "fr"
        return Entry(
            verdict, rule.title_fr if french else rule.title_en, judged.status_words(verdict.status, self.lang),
            say["owners"][rule.owner], say["severities"][rule.severity], judged.why(verdict, self.lang),
            judged.reason(verdict, self.lang), rule.cited, day(rule.dated, self.lang),
            say["confidences"][rule.confidence], tuple(self._evidence(verdict)),
        )  # fmt: skip

    def _evidence(self, verdict: Verdict) -> Iterator[EvidenceFile]:
        """Return the files that the verdict rests on, each once."""
        found: dict[str, EvidenceFile] = {}
        for finding in verdict.findings:
            for value in reached(self.tree, finding.field):
                for path in _paths(value):
                    if path in self.judgement.evidence:
                        found[path] = self.judgement.evidence[path]
        yield from found.values()


def reached(tree: Any, name: str) -> list[Any]:
    """Return what is at a field, and the mapping just around it when it lies below a section."""
    steps = [plain or inner for plain, inner in _STEP.findall(name)]
    values = [tree]
    for step in steps:
        values.append(_below(values[-1], step))
    if not steps or values[-1] is MISSING:
        return []
    return [values[-1], *([values[-2]] if len(steps) > 2 and isinstance(values[-2], Mapping) else [])]


def _below(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, MISSING)
    if isinstance(value, list):
        if step.isdigit() and int(step) < len(value):
            return value[int(step)]
        return next((each for each in value if isinstance(each, Mapping) and each.get("name") == step), MISSING)
    return MISSING


def _paths(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [each for each in value.values() if isinstance(each, str)]
    return [path for each in value for path in _paths(each)] if isinstance(value, list) else []
