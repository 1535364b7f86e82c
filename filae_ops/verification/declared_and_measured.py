"""What is declared and what is measured, side by side, requirement by requirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from filae_ops.errors import Owner
from filae_ops.judge.case.tree import Tree, find, generic
from filae_ops.judge.case.verdict import STATUSES, Judgement, Status, Verdict
from filae_ops.register.model import Requirement

if TYPE_CHECKING:
    from filae_ops.language import Lang
    from filae_ops.verification.results import Verdict as Check

Result = Literal["pass", "fail", "not_run"]
STOPPING = ("block", "claim_invalid")
_FIRST: Mapping[str, int] = {"fail": 0, "not_run": 1, "pass": 2}


@dataclass(frozen=True)
class Merged:
    """One requirement: what the inventory declares of it, and what its checks found."""

    verdict: Verdict
    """What the judge says of the inventory alone."""
    checks: tuple[Check, ...]
    """Failures first."""
    compared: tuple[tuple[str, Any], ...] = ()
    """Where the rule itself asks for no declaration: the declared values that its checks compare the machine with."""

    @property
    def requirement(self) -> Requirement:
        """Return the requirement that both are about."""
        return self.verdict.requirement

    @property
    def owners(self) -> set[Owner]:
        """Return who answers for it, and who has to act."""
        return {self.requirement.owner, *(each.owner for each in self.checks)}

    @property
    def declared(self) -> Verdict | None:
        """Return the verdict on what is declared; None where only a measure can tell."""
        return None if measured_only(self.verdict) else self.verdict

    def count(self, result: Result) -> int:
        """Return how many checks have a result."""
        return sum(each.status == result for each in self.checks)

    @property
    def measured(self) -> bool:
        """Tell whether every check that has an object here gave an answer, and at least one did."""
        answered = self.count("pass") + self.count("fail")
        return answered > 0 and all(each.status != "not_run" or each.no_object for each in self.checks)

    @property
    def status(self) -> Status:
        """Return the verdict on both: a failure decides, and what was not measured is never compliant."""
        declared = self.declared.status if self.declared else _unsaid(self.verdict)
        if declared == "not_applicable" and _not_in_force(self.verdict):
            return declared
        if self.count("fail"):
            found: Status = "non_compliant" if self.requirement.severity in STOPPING else "gap"
            return min(found, declared, key=STATUSES.index)
        if declared == "compliant" and not self.measured:
            return "to_confirm"
        return declared

    @property
    def disagrees(self) -> bool:
        """Tell whether the machine contradicts the inventory, one way or the other."""
        if self.declared is None:
            said = {generic(name) for name, _ in self.compared}
            return any(each.status == "fail" and said & set(each.against) for each in self.checks)
        if self.declared.status == "not_applicable":
            return False
        if self.count("fail"):
            return _holds(self.declared)
        return self.count("pass") > 0 and _contrary(self.declared)

    @property
    def messages(self) -> list[str]:
        """Return what each check says, by its id."""
        return [f"{each.id}: {each.message}" for each in self.checks]

    def contradiction(self, lang: Lang) -> list[str]:
        """Return what the checks say that contradicts the inventory."""
        against, colon = ("fail" if self.count("fail") else "pass"), "\u00a0: " if lang == "fr" else ": "
        return [f"{each.id}{colon}{each.wording(lang).message}" for each in self.checks if each.status == against]

    def document(self) -> dict[str, Any]:
        """Return the contract of one requirement of `verify --json`."""
        results: tuple[Result, ...] = ("pass", "fail", "not_run")
        return {
            "id": self.requirement.id, "owner": self.requirement.owner, "severity": self.requirement.severity,
            "declared": self._declared(), "observed": {each: self.count(each) for each in results}
            | {"messages": self.messages}, "status": self.status, "disagree": self.disagrees,
        }  # fmt: skip

    def reason(self, lang: Lang) -> str:
        """Return what is declared, in words, without what a measure adds; empty where nothing is."""
        from filae_ops.judge.words import name_words, value_words, why

        if self.declared is not None:
            silent = self.requirement.model_copy(update={"observed_fr": None, "observed_en": None})
            return why(replace(self.declared, requirement=silent), lang)
        colon = "\u00a0: " if lang == "fr" else ": "
        texts = [f"{name_words(name, lang)}{colon}{value_words(_named(value), lang)}" for name, value in self.compared]
        return f"{'. '.join(texts)}." if texts else ""

    def _declared(self) -> dict[str, str] | None:
        if not (words := self.reason("en")):
            return None
        return {"status": self.verdict.status, "reason": words, "reason_fr": self.reason("fr")}


def merge(judgement: Judgement, checks: Sequence[Check], tree: Tree) -> tuple[Merged, ...]:
    """Return every requirement that has checks, in the register's order; `tree`: what is declared."""
    mine: dict[str, list[Check]] = {}
    for each in checks:
        mine.setdefault(each.requirement, []).append(each)
    return tuple(
        _merged(verdict, sorted(mine[verdict.requirement.id], key=lambda check: _FIRST[check.status]), tree)
        for verdict in judgement.verdicts
        if verdict.requirement.id in mine
    )


def measured_only(verdict: Verdict) -> bool:
    """Tell whether a verdict rests on no declaration: only the machine can tell."""
    return {each.outcome for each in verdict.findings} == {"unmeasured"}


def _named(value: Any) -> Any:
    """Return the names of a list of flows or people: they are whole tables."""
    if isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
        return [each.get("name", each.get("id", "")) for each in value]
    return value


def _merged(verdict: Verdict, checks: list[Check], tree: Tree) -> Merged:
    if not measured_only(verdict):
        return Merged(verdict, tuple(checks))
    names = dict.fromkeys(name for each in checks for name in each.against)
    found = [(each.name, each.value) for name in names for each in find(tree, name) if not each.missing]
    return Merged(verdict, tuple(checks), tuple(found))


def _unsaid(verdict: Verdict) -> Status:
    """Return what holds of a rule that only a measure proves, once it is proved."""
    return "to_confirm" if verdict.requirement.confidence == "from-memory" else "compliant"


def _not_in_force(verdict: Verdict) -> bool:
    return any(each.code == "not_in_force" for each in verdict.findings)


def _holds(verdict: Verdict) -> bool:
    outcomes = [each.outcome for each in verdict.findings]
    return "holds" in outcomes and not {"contrary", "expired", "missing"} & set(outcomes)


def _contrary(verdict: Verdict) -> bool:
    return any(each.outcome in ("contrary", "expired") for each in verdict.findings)
