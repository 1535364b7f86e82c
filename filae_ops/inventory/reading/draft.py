"""Read an inventory that is not yet whole, for what precedes the machine: what is given is held to the same rules.

`load` stays the only way to what is applied: a draft is a plain tree, and says who knows each value that lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filae_ops.errors import Owner
from filae_ops.inventory.reading.load import build
from filae_ops.inventory.reading.problems import InventoryError, Problem
from filae_ops.inventory.reading.yaml_files import PENDING, known_by, survey
from filae_ops.inventory.types.choices import TO_FILL


@dataclass(frozen=True)
class Draft:
    """What is declared so far."""

    directory: Path
    fingerprint: str
    """SHA-256 over the files read."""
    tree: Mapping[str, Any]
    """Sections, and `hosts` by name; None where a value is still to fill in, or declared to be null."""
    waiting: frozenset[str]
    """Places of the values still to fill in, as `network.dns_servers.0`."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value at a place such as `network.mail_relay.host`; None: not declared."""
        return at(self.tree, name, default)

    def says_none(self, name: str) -> bool:
        """Tell whether a place, or what holds it, is declared null: there is none. A null section is left out."""
        parts = name.split(".")
        for length in range(2, len(parts) + 1):
            above, place = at(self.tree, ".".join(parts[: length - 1])), ".".join(parts[:length])
            if isinstance(above, Mapping) and parts[length - 1] in above and above[parts[length - 1]] is None:
                return place not in self.waiting
        return False

    @staticmethod
    def known_by(name: str) -> Owner:
        """Return who knows the value at a place."""
        return known_by(name)


def at(tree: Any, name: str, default: Any = None) -> Any:
    """Return the value at a dotted place of a tree, `default` where there is none."""
    for part in name.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return default if tree is None else tree


def draft(path: Path) -> Draft:
    """Read DIR or DIR/hosts.yml; InventoryError lists what is wrong in what is given."""
    source = survey(Path(path))
    refused = [problem for problem in source.problems if problem.what != PENDING]
    if refused:
        raise InventoryError(refused)
    tree = {**source.sections, "hosts": source.hosts}
    waiting = frozenset(".".join(map(str, loc)) for loc in _blanks(tree, ()))
    try:
        build(source, source.hostvars())
    except InventoryError as error:
        refused = [problem for problem in error.problems if not _waits(problem, waiting)]
        if refused:
            raise InventoryError(refused) from None
    return Draft(source.directory, source.fingerprint(), _emptied(tree), waiting)


def _waits(problem: Problem, waiting: frozenset[str]) -> bool:
    """Tell whether a problem may be nothing but a value that lacks, in it or around it."""
    if problem.of_key:
        return False
    if problem.what == "missing key":
        return True
    field = f"{problem.field}." if problem.field else ""
    return any(f"{blank}.".startswith(field) or field.startswith(f"{blank}.") for blank in waiting)


def _blanks(value: Any, loc: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    if isinstance(value, str) and TO_FILL in value:
        yield loc
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _blanks(inner, (*loc, key))


def _emptied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _emptied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_emptied(inner) for inner in value]
    return None if isinstance(value, str) and TO_FILL in value else value
