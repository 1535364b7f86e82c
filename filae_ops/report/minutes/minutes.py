"""The minutes of a verification: what was measured, beside what is declared, for those who sign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from filae_ops.language import Lang
from filae_ops.report.document.blocks import Block, Callout, Cell, Code, Facts, Lines, Section, Table, Tag, Text
from filae_ops.report.document.check_words import title
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import counted, day
from filae_ops.report.minutes.saved_verification import Check, Requirement, Verification
from filae_ops.vocabulary import OWNERS

RESULTS = ("pass", "fail", "not_run")


@dataclass(frozen=True)
class Minutes:
    """Everything that the minutes say, in one language."""

    lang: Lang
    found: Verification
    conclusion: Callout
    facts: Facts
    counts: Table
    sections: tuple[Section, ...]
    roles: tuple[str, ...]
    """Who signs."""

    @property
    def say(self) -> Mapping[str, Any]:
        """Return the labels."""
        return words("verification", self.lang)


def minutes(found: Verification, lang: Lang, *, saved: bool = False) -> Minutes:
    """Return the minutes of a verification; `saved`: it was not made just now."""
    made = _Maker(found, lang)
    roles = words("verification", lang)["signature"]["roles"]
    owners = {each.owner for each in found.requirements} | {"dsi", "provider"}
    return Minutes(
        lang, found, made.conclusion(saved), made.facts(), made.counts(),
        (made.disagreements(), made.results(), made.not_measured()),
        tuple(text for owner, text in roles.items() if owner in owners),
    )  # fmt: skip


@dataclass(frozen=True)
class _Maker:
    found: Verification
    lang: Lang

    @property
    def say(self) -> Mapping[str, Any]:
        return words("verification", self.lang)

    def conclusion(self, saved: bool) -> Callout:
        say, found = self.say["conclusion"], self.found
        counts = {
            "failed": sum(each.status == "fail" for each in found.checks),
            "disagree": sum(each.disagree for each in found.requirements),
            "not_run": sum(each.status == "not_run" for each in found.checks),
        }
        texts = [counted(say[name], number) for name, number in counts.items() if number]
        good = not counts["failed"] and not counts["disagree"]
        first, *rest = [say["good"], *texts] if good else texts
        return Callout(first, (*rest, *([say["saved"]] if saved else [])), "good" if good else "bad")

    def facts(self) -> Facts:
        say, found = self.say["cover"], self.found
        commit: Cell = say["no_commit"]
        if found.inventory.commit:
            short = found.inventory.commit[:12]
            commit = say["modified"].format(commit=short) if found.inventory.modified else Code(short)
        when = f"{day(found.at.date().isoformat(), self.lang)} {found.at:%H:%M:%S %z}"
        part = [(say["only"], self.say["owners"][found.only])] if found.only else []
        return Facts((
            (say["establishment"], found.establishment), (say["site"], found.site),
            (say["environment"], words("review", self.lang)["codes"].get(found.environment, found.environment)),
            (say["machines"], ", ".join(found.machines)), (say["at"], when), *part, (say["commit"], commit),
            (say["sha256"], Code(found.inventory.sha256)), (say["tool"], f"filae-ops {found.filae_ops}"),
        ))  # fmt: skip

    def counts(self) -> Table:
        say = self.say["cover"]
        rows = [
            (self.say["owners"][owner], *(str(sum(each.status == result for each in mine)) for result in RESULTS))
            for owner in OWNERS
            if (mine := [each for each in self.found.checks if each.owner == owner])
        ]
        return Table(say["counts"], tuple(say["counts_headers"]), tuple(rows))

    def disagreements(self) -> Section:
        say = self.say["disagreements"]
        rows = [
            (self._rule(each), self._declared(each), self._contradiction(each), self.say["owners"][each.owner])
            for each in self.found.requirements
            if each.disagree
        ]
        table = Table(say["caption"], tuple(say["headers"]), tuple(rows), (22, 32, 33, 13), empty=say["none"])
        return Section("disagreements", say["title"], (table,))

    def results(self) -> Section:
        say = self.say["results"]
        blocks: list[Block] = [Text(say["intro"])]
        for owner in OWNERS:
            mine = [each for each in self.found.requirements if each.owner == owner]
            rows = tuple(self._result(each) for each in mine)
            if rows:
                blocks.append(Table(self.say["owners"][owner], tuple(say["headers"]), rows, (19, 15, 30, 36)))
        return Section("results", say["title"], tuple(blocks))

    def _result(self, each: Requirement) -> tuple[Cell, ...]:
        return self._rule(each), self._tag(each.status), self._declared(each), self._observed(each)

    def not_measured(self) -> Section:
        say = self.say["not_measured"]
        rows = [
            (title(each.id, self.lang), self._said(each), each.requirement)
            for each in self.found.checks
            if each.status == "not_run"
        ]
        table = Table(say["caption"], tuple(say["headers"]), tuple(rows), (44, 42, 14), empty=say["none"])
        return Section("not-measured", say["title"], (table,))

    def _rule(self, each: Requirement) -> Cell:
        from filae_ops.register.lookup import requirements

        rule = requirements().get(each.id)
        return Lines((each.id, rule.title_fr if self.lang == "fr" else rule.title_en)) if rule else each.id

    def _declared(self, each: Requirement) -> Cell:
        if each.declared is None:
            return str(self.say["results"]["nothing_declared"])
        reason = each.declared.reason_fr if self.lang == "fr" else each.declared.reason
        return Lines((self._tag(each.declared.status), reason))

    def _observed(self, each: Requirement) -> Cell:
        mine = [check for check in self.found.checks if check.requirement == each.id]
        mine.sort(key=lambda check: ("fail", "not_run", "pass").index(check.status))
        return Lines(tuple(part for check in mine for part in self._check(check)))

    def _contradiction(self, each: Requirement) -> Cell:
        against = "fail" if each.observed.fail else "pass"
        mine = [check for check in self.found.checks if check.requirement == each.id and check.status == against]
        return Lines(tuple(part for check in mine for part in self._check(check)))

    def _check(self, check: Check) -> Iterator[Cell]:
        mark, colon = self.say["marks"][check.status], " : " if self.lang == "fr" else ": "
        yield f"{mark}{colon}{title(check.id, self.lang)}"
        if check.status != "pass":
            yield self._said(check)

    def _said(self, check: Check) -> str:
        """Return what a check says, and what to do next."""
        said, colon = check.wording(self.lang), " : " if self.lang == "fr" else ": "
        return f"{said.message}. {self.say['next']}{colon}{said.next}" if said.next else said.message

    def _tag(self, status: Any) -> Cell:
        from filae_ops.judge.words import status_words

        return Tag(status, status_words(status, self.lang))
