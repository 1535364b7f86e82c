"""What changed since another inventory of the same site: what is declared, the evidence, and the verdicts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filae_ops.judge.case.verdict import STATUSES, Judgement, Status, Verdict
from filae_ops.language import Lang
from filae_ops.report.difference.change import GROUPS, Change
from filae_ops.report.difference.compare import changes
from filae_ops.report.difference.sentences import sentence
from filae_ops.report.document.values import MISSING

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory

SECRETS = "secrets.yml"
_CONNECTION = {"name", "machine"}


@dataclass(frozen=True)
class Side:
    """One inventory, judged."""

    tree: Mapping[str, Any]
    """What is declared, with the connection of each machine."""
    judgement: Judgement
    fingerprint: str
    files: Mapping[str, str]
    """SHA-256 of each file that is declared and present, by path."""
    secrets: str = ""
    """SHA-256 of secrets.yml; empty: there is none."""


@dataclass(frozen=True)
class VerdictChange:
    """A requirement whose verdict is another, or is given for another reason; None where a register knows it not."""

    before: Verdict | None
    after: Verdict | None

    @property
    def verdict(self) -> Verdict:
        """Return the verdict of today, else that of before."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def statuses(self) -> tuple[Status | None, Status | None]:
        """Return the status before and after."""
        before, after = (each.status if each else None for each in (self.before, self.after))
        return before, after

    @property
    def better(self) -> bool:
        """Tell whether the verdict improves; what no longer applies is no improvement."""
        before, after = self.statuses
        if after in (None, "not_applicable"):
            return False
        return before is not None and STATUSES.index(after) > STATUSES.index(before)


@dataclass(frozen=True)
class Against:
    """What the inventory is compared with: a commit and its day, or a folder."""

    folder: str
    commit: str = ""
    day: str = ""


@dataclass(frozen=True)
class Difference:
    """Everything that changed."""

    against: Against
    before: Side
    after: Side
    changes: tuple[Change, ...]
    verdicts: tuple[VerdictChange, ...]
    """Another status: what gets worse first, by severity."""
    otherwise: tuple[VerdictChange, ...]
    """The same status, for another reason."""
    time: tuple[VerdictChange, ...] = ()
    """What the older inventory was on its day, and is today: time alone changed it."""

    @property
    def presentation(self) -> bool:
        """Tell whether files changed that say the same."""
        return not self.changes and self.before.fingerprint != self.after.fingerprint

    @property
    def unchanged(self) -> dict[str, int]:
        """Return how many flows, people, machines, pieces of evidence and verdicts are as they were."""
        both = (self.before, self.after)
        rows = {
            "flows": [_rows(side.tree, "flows") for side in both],
            "people": [[*_rows(side.tree, "access", "operators"), *_rows(side.tree, "access", "dsi")] for side in both],
            "machines": [_rows(side.tree, "machines") for side in both],
            "documents": [list(side.files.items()) for side in both],
        }
        same = {name: sum(row in right for row in left) for name, (left, right) in rows.items()}
        return same | {"verdicts": len(self.after.judgement.verdicts) - len(self.verdicts)}

    def document(self, lang: Lang) -> dict[str, Any]:
        """Return the contract of `difference` in `review --json`."""

        def rows(found: tuple[VerdictChange, ...]) -> list[dict[str, Any]]:
            return [_verdict_row(each, lang) for each in found]

        against = self.against
        return {
            "against": {"folder": against.folder, "commit": against.commit or None, "day": against.day or None},
            "fingerprints": {"before": self.before.fingerprint, "after": self.after.fingerprint},
            "presentation_only": self.presentation,
            "changes": [_change_row(each, lang) for each in self.changes],
            "verdicts": rows(self.verdicts), "other_reasons": rows(self.otherwise), "by_time": rows(self.time),
            "unchanged": self.unchanged,
        }  # fmt: skip


def side(inventory: Inventory, tree: Mapping[str, Any], judgement: Judgement, secrets: bytes | None = None) -> Side:
    """Return one side of a comparison; `secrets` stands for a secrets.yml that is not on the disk."""
    place = inventory.directory / SECRETS
    content = place.read_bytes() if secrets is None and place.is_file() else secrets
    return Side(
        with_connections(inventory, tree), judgement, inventory.fingerprint, dict(_files(inventory.directory, tree)),
        hashlib.sha256(content).hexdigest() if content else "",
    )  # fmt: skip


def difference(before: Side, after: Side, against: Against, older: Judgement | None = None) -> Difference:
    """Return what changed between two sides; `older`: the first one as it was judged on its own day."""
    found = [*changes(before.tree, after.tree), *_file_changes(before, after), *_secret_changes(before, after)]
    found.sort(key=lambda change: GROUPS.index(change.group))
    pairs = _pairs(before.judgement, after.judgement)
    moved = [each for each in pairs if each.statuses[0] != each.statuses[1]]
    otherwise = [each for each in pairs if each not in moved and _why(each.before) != _why(each.after)]
    time = [each for each in _pairs(older, before.judgement) if each.statuses[0] != each.statuses[1]] if older else []
    return Difference(against, before, after, tuple(found), _ranked(moved), _ranked(otherwise), _ranked(time))


def with_connections(inventory: Inventory, tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declared tree with the address and the host key of each machine: their change matters too."""
    machines = []
    for machine in tree.get("machines", []):
        host = inventory.hosts[machine["name"]]
        how = host.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=_CONNECTION)
        machines.append({**machine, "connection": how})
    return {**tree, "machines": machines}


def _files(directory: Path, tree: Any) -> Iterator[tuple[str, str]]:
    """Return the hash of every file that a declared text names, wherever it stands."""
    root = directory.resolve()
    for text in sorted(set(_texts(tree))):
        try:
            path = (directory / text).resolve()
            if path.is_relative_to(root) and path.is_file():
                with path.open("rb") as stream:
                    yield text, hashlib.file_digest(stream, "sha256").hexdigest()
        except (OSError, ValueError):
            continue


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for each in inner:
        yield from _texts(each)


def _file_changes(before: Side, after: Side) -> Iterator[Change]:
    """Say what became of the files that both sides declare; others are in the change of their field."""
    declared = set(_texts(before.tree)) & set(_texts(after.tree))
    for path in sorted(declared & (before.files.keys() | after.files.keys())):
        left, right = before.files.get(path), after.files.get(path)
        if left != right:
            code = "file_come" if left is None else "file_gone" if right is None else "file_replaced"
            yield Change(code, path, left, right, "documents")


def _secret_changes(before: Side, after: Side) -> Iterator[Change]:
    left, right = before.secrets, after.secrets
    if left != right:
        code = "secrets_added" if not left else "secrets_removed" if not right else "secrets_changed"
        yield Change(code, SECRETS, left or MISSING, right or MISSING, "access")


def _pairs(before: Judgement, after: Judgement) -> list[VerdictChange]:
    left, right = ({each.requirement.id: each for each in side.verdicts} for side in (before, after))
    return [VerdictChange(left.get(name), right.get(name)) for name in dict.fromkeys([*right, *left])]


def _why(verdict: Verdict | None) -> list[Any]:
    """Return what a verdict rests on, but for what holds."""
    return [replace(each, words=None) for each in verdict.findings if each.outcome != "holds"] if verdict else []


def _ranked(found: list[VerdictChange]) -> tuple[VerdictChange, ...]:
    from filae_ops.judge.case.verdict import RANKS

    return tuple(sorted(found, key=lambda each: (each.better, -RANKS[each.verdict.requirement.severity])))


def _rows(tree: Mapping[str, Any], *path: str) -> list[Any]:
    found: Any = tree
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, list) else []


def _change_row(change: Change, lang: Lang) -> dict[str, Any]:
    before, after = (None if value is MISSING else value for value in (change.before, change.after))
    kind = "added" if change.before is MISSING else "removed" if change.after is MISSING else "changed"
    return {
        "group": change.group, "code": change.code, "kind": kind, "field": change.field, "before": before,
        "after": after, "text": sentence(change, lang),
    }  # fmt: skip


def _verdict_row(change: VerdictChange, lang: Lang) -> dict[str, Any]:
    from filae_ops.judge.words import reason

    rule, (before, after) = change.verdict.requirement, change.statuses
    return {
        "id": rule.id, "title": rule.title_fr if lang == "fr" else rule.title_en, "owner": rule.owner,
        "severity": rule.severity, "before": before, "after": after, "better": change.better,
        "reason": reason(change.verdict, lang),
    }  # fmt: skip
