"""The register, read on demand and checked: nothing unknown, nothing twice, nothing without a source."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from filae_ops.errors import OpsError
from filae_ops.register.hosts import Host, Service
from filae_ops.register.model import Requirement, Source
from filae_ops.register.read import Wrong, entries, known, refuse, rows_of, unique, with_sources
from filae_ops.register.tables import Countries, Duty, FieldName, ImmunityStep, Lifecycle, Shipped, Theme

HERE = Path(__file__).resolve().parent
OTHER = "other-hds-host"
"""The id of a host that the register does not hold."""
_IN_HOSPITAL = ("not_required", "exempt_if_three_conditions")


@cache
def requirements() -> Mapping[str, Requirement]:
    """Return every requirement by id, theme by theme."""
    found: dict[str, Requirement] = {}
    for theme in themes():
        found |= _theme(theme)
    return MappingProxyType(found)


@cache
def _theme(name: str) -> Mapping[str, Requirement]:
    return read_requirements(HERE / "requirements" / f"{name.lower()}.yml")


def requirement(name: str) -> Requirement:
    """Return one requirement, from the file of its theme alone; an unknown id is refused with the nearest."""
    found = _theme(theme).get(name) if (theme := name.rpartition("-")[0]) in themes() else None
    return found or _nearly(name)


def _nearly(name: str) -> Requirement:
    """Return the requirement meant by `hds-7`; refuse everything else."""
    theme, _, number = name.upper().rpartition("-")
    meant = f"{theme}-{number:0>2}"
    if meant in requirements():
        return requirements()[meant]
    near = get_close_matches(meant, requirements(), n=1, cutoff=0.0)[0]
    raise OpsError(
        f"no requirement {name!r} in the register",
        next_step=f"filae-ops requirements show {near}, or `requirements list`",
        exit_code=2,
    )


@cache
def themes() -> Mapping[str, Theme]:
    """Return the themes, in the order of a review."""
    return _table(HERE / "themes.yml", "themes", Theme)


@cache
def sources() -> Mapping[str, Source]:
    """Return every source by id."""
    return _table(HERE / "sources.yml", "sources", Source)


@cache
def fields() -> Mapping[str, FieldName]:
    """Return the names in words of every field that a requirement reads, by field."""
    return _table(HERE / "fields.yml", "fields", FieldName, "name")


@cache
def countries(name: str) -> frozenset[str]:
    """Return the codes of a group of countries, EU or EEA."""
    return frozenset(_table(HERE / "countries.yml", "countries", Countries)[name].members)


@cache
def duties() -> Mapping[str, Duty]:
    """Return every duty by id."""
    return _table(HERE / "duties.yml", "duties", Duty)


@cache
def immunity_steps() -> tuple[ImmunityStep, ...]:
    """Return the decision table on extra-European law."""
    return tuple(_table(HERE / "immunity.yml", "steps", ImmunityStep, "step").values())


@cache
def hosts() -> Mapping[str, Host]:
    """Return every host by id."""
    return read_hosts(HERE / "hosts.yml")


def third_party_hosts() -> list[str]:
    """Return the ids of the hosts that may hold a hospital's data as third parties."""
    return [name for name, host in hosts().items() if host.hds.status not in _IN_HOSPITAL]


def third_party_services(host_id: str | None) -> list[str]:
    """Return the ids of the services of a host; of all, when none is named."""
    return [each.id for name in third_party_hosts() if host_id in (None, name) for each in hosts()[name].services]


def service(name: str) -> tuple[Host, Service] | None:
    """Return a service and its host; an unknown one is none."""
    every = ((host, each) for host in hosts().values() for each in host.services)
    return next((found for found in every if found[1].id == name), None)


@cache
def lifecycles() -> Mapping[tuple[str, str], Lifecycle]:
    """Return every calendar by product and version."""
    return read_lifecycles(HERE / "lifecycles.yml")


@cache
def shipped() -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Return the version of each product, by distribution and its version."""
    rows = _table(HERE / "shipped.yml", "shipped", Shipped, "system", "version")
    return MappingProxyType({key: row.products for key, row in rows.items()})


def lifecycle(product: str, version: str) -> Lifecycle | None:
    """Return the calendar of `version`, or of the version it belongs to: 17 for 17.6, 3.3 for 3.3.8."""
    parts = version.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((found for name in names if (found := lifecycles().get((product, name)))), None)


def read_requirements(path: Path) -> Mapping[str, Requirement]:
    """Read the requirements of one theme: the file bears its name, in small letters."""
    rows = rows_of(path, "requirements")
    for index, row in enumerate(rows):
        with_sources(path, ("requirements", index), row, sources())
        if "source" in row:
            row.setdefault("source_date", row["source"]["date"])
    found = entries(path, "requirements", Requirement, rows)
    unique(path, "requirements", [each.id for each in found])
    for index, each in enumerate(found):
        _check_requirement(path, index, each)
    return MappingProxyType({each.id: each for each in found})


def _check_requirement(path: Path, index: int, each: Requirement) -> None:
    place = ("requirements", index)
    if each.theme.lower() != path.stem:
        refuse(path, Wrong((*place, "id"), f"{each.id} is not of the theme {path.stem.upper()}"))
    if (each.observed_fr is None) != (each.observed_en is None):
        refuse(path, Wrong(place, f"{each.id}: observed_fr and observed_en go together"))
    for number, condition in enumerate(each.applies.when):
        known(path, (*place, "applies", "when", number, "field"), condition.field, fields(), "field")
    for number, evidence in enumerate(each.declared):
        known(path, (*place, "declared", number, "field"), evidence.field, fields(), "field")
        if evidence.unless is not None:
            known(path, (*place, "declared", number, "unless"), evidence.unless, fields(), "field")


def read_hosts(path: Path) -> Mapping[str, Host]:
    """Read hosts: no two share a service."""
    rows = rows_of(path, "hosts")
    for index, row in enumerate(rows):
        with_sources(path, ("hosts", index), row, sources())
    found = entries(path, "hosts", Host, rows)
    unique(path, "hosts", [each.id for each in found])
    _check_services(path, found)
    return MappingProxyType({each.id: each for each in found})


def _check_services(path: Path, found: tuple[Host, ...]) -> None:
    places = [
        ("hosts", index, "services", number, "id")
        for index, host in enumerate(found)
        for number, _ in enumerate(host.services)
    ]
    every = [each for host in found for each in host.services]
    names = [each.id for each in every]
    for index, (place, each) in enumerate(zip(places, every, strict=True)):
        if each.id in names[:index]:
            refuse(path, Wrong(place, f"the service {each.id!r} is there twice"))
        if each.runs_on is not None:
            known(path, (*place[:-1], "runs_on"), each.runs_on, names, "service")


def read_lifecycles(path: Path) -> Mapping[tuple[str, str], Lifecycle]:
    """Read calendars."""
    return _table(path, "lifecycles", Lifecycle, "product", "version")


def _table(path: Path, key: str, kind: Any, *names: str) -> Mapping[Any, Any]:
    """Read a file of one list, by what names its entries: their id when nothing else is said."""
    rows = rows_of(path, key)
    if kind is not Source:
        for index, row in enumerate(rows):
            with_sources(path, (key, index), row, sources())
    found = entries(path, key, kind, rows)
    keys = [attrgetter(*(names or ("id",)))(each) for each in found]
    unique(path, key, keys)
    return MappingProxyType(dict(zip(keys, found, strict=True)))
