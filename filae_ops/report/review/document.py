"""One review: the plain structure that the terminal, the page, Markdown and JSON all show."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filae_ops.judge.case.verdict import STATUSES, Judgement, Row, Status
from filae_ops.language import Lang
from filae_ops.report.document.blocks import Callout, Cell, Code, Facts, Lines, Section, Table, Tag
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import at, day, shown
from filae_ops.report.review import continuity_sections, hosting_sections, machine_sections, verdict_sections
from filae_ops.report.review.entries import Context, Entry

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory
    from filae_ops.report.difference.difference import Difference
    from filae_ops.report.review.provenance import Provenance


@dataclass(frozen=True)
class ReviewDocument:
    """Everything that a review says, in one language."""

    lang: Lang
    site: str
    establishment: str
    environment: str
    judgement: Judgement
    provenance: Provenance
    facts: Facts
    """Of the cover."""
    counts: Table
    cautions: tuple[Callout, ...]
    """Rules that nobody read, and rules read through a third party."""
    stops: Callout
    """What stops the site from going live, in one sentence."""
    entries: tuple[Entry, ...]
    sections: tuple[Section, ...]
    flows: tuple[Mapping[str, Any], ...]
    difference: Difference | None = None
    """What changed since another inventory, when one was named."""

    @property
    def say(self) -> Mapping[str, Any]:
        """Return the labels."""
        return words("review", self.lang)

    @property
    def count(self) -> Mapping[Status, int]:
        """Return how many verdicts there are of each status, worst first."""
        found = Counter(each.status for each in self.entries)
        return {status: found[status] for status in STATUSES if found[status]}

    def document(self) -> dict[str, Any]:
        """Return the review for programs."""
        judgement = self.judgement
        return {
            "site": self.site,
            "as_of": judgement.as_of.isoformat(),
            "verdict": judgement.worst,
            "blocking": [each.requirement.id for each in judgement.stopped_by("block")],
            "inventory": {
                "commit": self.provenance.commit or None, "modified": self.provenance.modified,
                "sha256": self.provenance.sha256,
            },
            "immunity": {"result": judgement.immunity.result, "step": judgement.immunity.step},
            "requirements": [_requirement(each) for each in self.entries],
            "flows": list(self.flows),
            "raci": [_duty(each) for each in judgement.raci],
            "evidence": [
                {"path": each.path, "sha256": each.sha256 or None, "bytes": each.size, "problem": each.problem or None}
                for each in judgement.evidence.values()
            ],
            **({"difference": self.difference.document(self.lang)} if self.difference else {}),
        }  # fmt: skip


def _requirement(entry: Entry) -> dict[str, Any]:
    rule = entry.verdict.requirement
    return {
        "id": entry.id, "status": entry.status, "owner": rule.owner, "severity": rule.severity, "title": entry.title,
        "reason": entry.reason, "source": rule.cited, "source_date": rule.dated or None, "confidence": rule.confidence,
        "missing": list(entry.verdict.missing), "evidence": [each.path for each in entry.evidence],
    }  # fmt: skip


def _duty(row: Row) -> dict[str, Any]:
    letters = dict(row.letters) if row.letters is not None else None
    expected = dict(row.expected) if row.expected is not None else None
    return {
        "id": row.id, "fr": row.fr, "en": row.en, "source": row.source, "letters": letters, "expected": expected,
        "deviates": row.deviates, "activity5": row.activity5,
    }  # fmt: skip


def review_document(
    inventory: Inventory, tree: Mapping[str, Any], judgement: Judgement, lang: Lang, provenance: Provenance,
    *, ends: Mapping[str, dt.date] | None = None,
) -> ReviewDocument:  # fmt: skip
    """Return the review of one inventory.

    `tree`: what it declares, as plain JSON; `ends`: last days of the certificates, by declared path.
    """
    from filae_ops.report.flows.matrix import documents, lines_of

    context = Context(inventory, tree, judgement, lang)
    sections = (
        hosting_sections.hosting(context),
        verdict_sections.summary(context),
        hosting_sections.responsibilities(context),
        hosting_sections.flows(context),
        machine_sections.machines(context),
        machine_sections.accounts(context),
        machine_sections.certificates(context, ends or {}),
        continuity_sections.backup(context),
        continuity_sections.continuity(context),
        machine_sections.changes(context),
        verdict_sections.verdicts(context),
        verdict_sections.questions(context),
        hosting_sections.derogations(context),
        verdict_sections.plan(context),
        verdict_sections.annex(context),
    )
    return ReviewDocument(
        lang, inventory.site.name, inventory.site.establishment,
        shown(inventory.site.environment, lang, coded=True), judgement, provenance, _cover(context, provenance),
        _counts(context), tuple(_cautions(context)), verdict_sections.stops(context), context.entries, sections,
        tuple(documents(lines_of(inventory), lang)),
    )  # fmt: skip


def _cover(context: Context, provenance: Provenance) -> Facts:
    say, site = context.say["cover"], context.inventory.site
    commit: Cell = say["no_commit"]
    if provenance.commit:
        short = provenance.commit[:12]
        commit = say["modified"].format(commit=short) if provenance.modified else Code(short)
    contacts = [f"{context.say['owners'][name]} : {getattr(site.contacts, name).name}" for name in ("dsi", "provider")]
    if context.lang == "en":
        contacts = [each.replace(" : ", ": ", 1) for each in contacts]
    worst = next((each for each in verdict_sections.worst_first(context.entries)), None)
    return Facts((
        (say["establishment"], site.establishment), (say["site"], site.name),
        (say["environment"], shown(site.environment, context.lang, coded=True)),
        (say["machines"], shown([each["name"] for each in at(context.tree, "machines")], context.lang)),
        (say["as_of"], day(context.as_of.isoformat(), context.lang)), (say["commit"], commit),
        (say["sha256"], Code(provenance.sha256)), (say["contacts"], Lines(tuple(contacts))),
        (say["worst"], verdict_sections.tag(worst) if worst else context.say["blank"]),
    ))  # fmt: skip


def _counts(context: Context) -> Table:
    say = context.say
    texts = {each.status: each.status_text for each in context.entries}
    found = Counter(each.status for each in context.entries)
    rows = tuple((Tag(each, texts[each]), str(found[each]), say["meaning"][each]) for each in STATUSES if found[each])
    return Table(say["cover"]["counts"], tuple(say["cover"]["counts_headers"]), rows, (24, 12, 64))


def _cautions(context: Context) -> list[Callout]:
    """Return which of the rules that apply nobody read, and which were read through a third party."""
    say = context.say["cover"]
    applies = [each for each in context.entries if each.status != "not_applicable"]
    made = []
    for name, confidence in (("memory", "from-memory"), ("secondary", "seen-secondary")):
        rules = [each.id for each in applies if each.verdict.requirement.confidence == confidence]
        said = f"{len(rules)}{' :' if context.lang == 'fr' else ':'} {', '.join(rules)}." if rules else say["nothing"]
        made.append(Callout(say[name], (say[f"{name}_text"], said)))
    return made
