"""What others put on a machine and nobody declared, written as hosts.yml declares it: ready to paste."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import yaml
from pydantic import ValidationError

from filae_ops.deadlines.ends import Line
from filae_ops.inventory.model.additions import (
    KINDS,
    UNIT_FOLDERS,
    Addition,
    accounts_for,
    accounts_for_unit,
    unit_of,
)
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.verification.accounted_files import Leftover

# Debian's packages put no file of theirs below these: a folder in them is one other's alone.
_LEFT_TO_OTHERS = ("/opt/", "/srv/", "/usr/local/", "/var/opt/", "/etc/opt/")
_DECLARE = "declare it in hosts.yml, by the entries given here, or remove it"
_UNDO = "find who put or changed it and have it undone, or renamed: no declaration names it so"
_BELOW_MACHINE = " " * 8
WORDS = {
    "package": "the package ",
    "unit": "the unit ",
    "account": "the account ",
    "nft_table": "the table ",
    "path": "",
}


def declaration(leftovers: Iterable[Leftover]) -> tuple[Addition, ...]:
    """Return the fewest entries that account for what may be declared, always in the same order."""
    named = [pair for each in leftovers if each.declare for pair in _named(each.declare)]
    units = {name for kind, name in named if kind == "unit"}
    units |= {unit for kind, name in named if kind == "path" and (unit := _unit_file(name))}
    entries = [
        entry for kind, names in _by_kind(named, units).items() for name in names if (entry := _entry(kind, name))
    ]
    entries = [entry for entry in entries if not _instance_of_another(entry, entries)]
    declared = {name for kind, name in named if kind == "path" and not accounts_for(entries, name)}
    return (*entries, *(entry for path in _folders(declared) if (entry := _entry("path", path))))


def lines(leftovers: Iterable[Leftover]) -> Iterator[Line]:
    """Return what was found as lines of a diagnosis: an agent forbids nothing."""
    for each in leftovers:
        declarable = any(_entry(kind, name) for kind, name in _named(each.declare or {}))
        kind = next((WORDS[kind] for kind, _ in _named(each.declare or {})), "")
        step = _DECLARE if declarable else _UNDO
        yield Line("addition", "dsi", "warn", f"nothing accounts for {kind}{each.name}", step)


def as_rows(entries: Iterable[Addition]) -> list[dict[str, str]]:
    """Return entries as hosts.yml has them; what each is for is still to fill in."""
    return [{each.kind: each.name, "purpose": each.purpose, "owner": each.owner} for each in entries]


def as_yaml(entries: Iterable[Addition]) -> str:
    """Return the lines to paste below `machine:`."""
    text = yaml.safe_dump(as_rows(entries), sort_keys=False, allow_unicode=True, width=1000)
    return f"{_BELOW_MACHINE}additions:\n{textwrap.indent(text, _BELOW_MACHINE + '  ')}"


def _named(declare: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Return what accounts for most: the package of a file rather than its path."""
    yield from [(kind, declare[kind]) for kind in KINDS if kind in declare][:1]


def _unit_file(path: str) -> str | None:
    """Return the unit that a file is; a fragment, or a link that starts it, may be of a unit of Debian's."""
    unit = unit_of(path)
    return unit if path in [f"{folder}/{unit}" for folder in UNIT_FOLDERS] else None


def _by_kind(named: list[tuple[str, str]], units: set[str]) -> dict[str, list[str]]:
    found = {kind: sorted({name for each, name in named if each == kind}) for kind in KINDS if kind != "path"}
    return found | {"unit": sorted(units)}


def _entry(kind: str, name: str) -> Addition | None:
    """Return an entry, unless the inventory would refuse it: a stranger chose the name."""
    try:
        return Addition.model_validate({kind: name, "purpose": TO_FILL})
    except ValidationError:
        return None


def _instance_of_another(entry: Addition, entries: list[Addition]) -> bool:
    others = [each for each in entries if each is not entry]
    return bool(entry.unit and "@." not in entry.unit and accounts_for_unit(others, entry.unit))


def _folders(paths: set[str]) -> list[str]:
    """Return paths, with one folder in place of several that lie in it and in nothing of Debian's."""
    folder = {path: _folder(path) for path in paths}
    many = Counter(folder.values())
    found = {place if place and many[place] > 1 else path for path, place in folder.items()}
    return sorted(path for path in found if not any(path.startswith(f"{other}/") for other in found))


def _folder(path: str) -> str | None:
    """Return the widest folder above a path that may be declared, where packages of Debian's put nothing."""
    if not path.startswith(_LEFT_TO_OTHERS):
        return None
    parts = path.split("/")
    above = ("/".join(parts[:length]) for length in range(3, len(parts) + 1))
    return next((place for place in above if _entry("path", place)), None)
