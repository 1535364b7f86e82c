"""The responsibility matrix of a site: what its hosting model says, and where the site departs from it."""

from __future__ import annotations

from collections.abc import Mapping

from filae_ops.judge.case.tree import Tree, declared
from filae_ops.judge.case.verdict import Row
from filae_ops.register.tables import Duty, Letters
from filae_ops.vocabulary import Party

CONTROL: Mapping[str, str] = {
    "rights_process_owner": "D-ACCESS-RIGHTS",
    "access_path_owner": "D-ACCESS-PATH",
    "traces_owner": "D-ACCESS-TRACES",
    "approval_owner": "D-ACCESS-APPROVAL",
}
"""The four control tasks: field of `access_governance`, and its duty."""
_TASKS = {duty: field for field, duty in CONTROL.items()}


def rows(tree: Tree, duties: Mapping[str, Duty]) -> tuple[Row, ...]:
    """Return every duty with what the model expects and what the site declares; a model without duties expects
    nothing: it is to be agreed, never inferred from another model.
    """
    model = declared(tree, "hosting.model")
    return tuple(_row(tree, duty, duty.models.get(model)) for duty in duties.values())


def _row(tree: Tree, duty: Duty, expected: Mapping[Party, Letters] | None) -> Row:
    wanted = {str(party): str(letters) for party, letters in expected.items()} if expected is not None else None
    return Row(
        id=duty.id,
        fr=duty.fr,
        en=duty.en,
        source=duty.cited,
        expected=wanted,
        declared=_declared(tree, duty.id, wanted),
        activity5=duty.activity5,
    )


def _declared(tree: Tree, duty: str, expected: Mapping[str, str] | None) -> dict[str, str] | None:
    said = (declared(tree, "responsibilities") or {}).get(duty)
    if said is not None:
        return dict(said)
    owner = declared(tree, f"access_governance.{_TASKS[duty]}") if duty in _TASKS else None
    if owner is None or (expected is not None and "A" in expected.get(owner, "")):
        return None
    others = {party: letters for party, letters in (expected or {}).items() if "A" not in letters and party != owner}
    return {owner: "RA", **others}


def unowned(found: tuple[Row, ...]) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return the rows that are to be agreed, and those where nobody is accountable though someone is named.

    A row that the model leaves empty concerns nobody there.
    """
    to_agree = tuple(row for row in found if row.letters is None)
    orphans = tuple(row for row in found if row.letters is not None and not _owned(row))
    return to_agree, orphans


def _owned(row: Row) -> bool:
    letters = row.letters or {}
    return any("A" in each for each in letters.values()) or (not letters and row.declared is None)


def doers(row: Row) -> tuple[str, ...]:
    """Return the parties that do the duty, or answer for it."""
    return tuple(party for party, letters in (row.letters or {}).items() if set(letters) & set("RA"))
