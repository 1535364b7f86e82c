"""Reader one: the YAML files themselves, for what Ansible forgives and for file and line."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops import strict_yaml
from filae_ops.agent.system.plain_text import one_line, plain
from filae_ops.errors import OpsError, Owner
from filae_ops.inventory.model.inventory import SECTIONS, Inventory
from filae_ops.inventory.reading.hosts_yml import read_hosts
from filae_ops.inventory.reading.pending import settle
from filae_ops.inventory.reading.problems import InventoryError, Problem, guess
from filae_ops.inventory.reading.unreviewed_files import unreviewed
from filae_ops.inventory.types.choices import TO_FILL

HOSTS = "hosts.yml"
PENDING = "still to fill in"
_SECRET_KEYS = ("app_secrets", "tls_key")
_KNOWN_BY_DSI = (
    "hosts.",
    "hosting.",
    "access_governance.",
    "access.administration_networks",
    "access.dsi",
    "network.",
    "flows.",
    "backup.",
    "site.establishment",
    "site.contacts.dsi",
    "site.maintenance_window",
    "establishment.",
    "data.",
    "contracts.",
    "documents.",
    "governance.",
    "continuity.",
    "identity.",
    "incidents.",
)

Loc = tuple[int | str, ...]


@dataclass
class Source:
    """What the files say, and where."""

    directory: Path
    files: list[Path] = field(default_factory=list)
    sections: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, tuple[strict_yaml.Locate, Loc]] = field(default_factory=dict)

    def where(self, loc: Loc) -> str:
        """Return `file:line:column` of a place of the model, or of its nearest parent."""
        if len(loc) > 1 and loc[0] == "hosts" and f"hosts.{loc[1]}" in self.places:
            locate, prefix = self.places[f"hosts.{loc[1]}"]
            return locate.where((*prefix, *loc[2:]))
        if loc and loc[0] in self.places:
            locate, prefix = self.places[str(loc[0])]
            return locate.where((*prefix, *loc))
        section = str(loc[0]) if loc else "site"
        return str(self.directory / "group_vars" / "all" / f"{_FILES.get(section, section)}.yml")

    def hostvars(self) -> dict[str, dict[str, Any]]:
        """Return what Ansible must give for each machine, as it prints it."""
        merged = {name: {**self.sections, **variables} for name, variables in self.hosts.items()}
        found: dict[str, dict[str, Any]] = json.loads(json.dumps(merged, default=_iso))
        return found

    def fingerprint(self) -> str:
        """Return one hash over the files read, by name."""
        total = hashlib.sha256()
        for path in sorted(self.files):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{digest}  {path.relative_to(self.directory)}\n".encode())
        return total.hexdigest()


_FILES = {
    "access_governance": "governance", "network": "flows", "establishment": "site", "data": "hosting",
    "contracts": "documents", "responsibilities": "governance", "software": "patching", "continuity": "backup",
    "admin": "access", "identity": "access", "logging": "supervision", "incidents": "supervision",
}  # fmt: skip
"""Where `init` writes the sections that have no file of their own name."""


def read(path: Path) -> Source:
    """Read every file of an inventory; InventoryError lists what Ansible would have let pass."""
    source = survey(path)
    if source.problems:
        raise InventoryError(source.problems)
    return source


def survey(path: Path) -> Source:
    """Read every file of an inventory, and keep what is wrong in `problems`."""
    source = Source(locate_directory(path))
    _hosts(source)
    source.problems += unreviewed(source.directory)
    for file in sorted((source.directory / "group_vars" / "all").glob("*.yml")):
        _section_file(source, file)
    _scalars(source)
    return source


def locate_directory(path: Path) -> Path:
    """Return the inventory's directory, given it or its hosts.yml."""
    start = f"filae-ops init {path.parent if path.name == HOSTS else path} --hosting MODEL"
    if not one_line(str(path)) or "$" in str(path.resolve()):
        raise OpsError(
            f"{plain(str(path))}: a control character, or a `$`, which Ansible replaces, is in the inventory's path",
            next_step="give its folder a plain name",
        )
    if not path.exists():
        raise OpsError(f"no inventory at {path}", next_step=start)
    if path.is_dir() and path.name == HOSTS:
        raise OpsError(f"{path} is a folder, of which Ansible would read every file", next_step="give the file itself")
    directory = path if path.is_dir() else path.parent
    if path.is_file() and path.name != HOSTS:
        raise OpsError(f"{path} is not an inventory", next_step="give a directory, or its hosts.yml")
    if not any(directory.iterdir()):
        raise OpsError(f"the inventory {directory} is empty", next_step=start)
    if not (directory / HOSTS).is_file():
        raise OpsError(f"{directory} has no hosts.yml: it is not an inventory", next_step="filae-ops init PATH")
    if not list((directory / "group_vars" / "all").glob("*.yml")):
        raise OpsError(
            f"{directory} has no group_vars/all/*.yml: nothing is declared",
            next_step="filae-ops init PATH --hosting MODEL writes a whole one to copy from",
        )
    return directory


def _load(source: Source, file: Path) -> tuple[Any, strict_yaml.Locate]:
    values, locate = strict_yaml.load(file)
    if file.read_text(encoding="utf-8-sig").lstrip().startswith(("{", "[")):
        what = "in braces: Ansible takes it for JSON, and reads some values otherwise"
        source.problems.append(Problem(locate.where(()), "", what, next_step="write one `key: value` a line"))
    return values, locate


def _hosts(source: Source) -> None:
    file = source.directory / HOSTS
    values, locate = _load(source, file)
    source.files.append(file)
    hosts, problems = read_hosts(values, locate)
    source.problems += problems
    for name, (prefix, variables) in hosts.items():
        source.hosts[name] = variables
        source.places[f"hosts.{name}"] = (locate, prefix)


def _section_file(source: Source, file: Path) -> None:
    if not one_line(file.name):
        raise OpsError(f"{plain(str(file))}: a control character in a file's name", next_step="give it a plain name")
    values, locate = _load(source, file)
    source.files.append(file)
    if values is None:
        return
    if not isinstance(values, dict):
        source.problems.append(Problem(locate.where(()), "", "a mapping (`key: value` lines) is wanted"))
        return
    for key, value in values.items():
        place = locate.where((key,))
        if key not in SECTIONS:
            source.problems.append(_unknown(place, key))
        elif key in source.sections:
            first = source.where((key,))
            source.problems.append(Problem(place, key, f"already declared at {first}: Ansible would keep one only"))
        else:
            source.sections[key] = value
            source.places[key] = (locate, ())


def _unknown(place: str, key: str) -> Problem:
    if key in _SECRET_KEYS:
        return Problem(place, key, "a secret, in a file in clear", next_step="move it to secrets.yml, and change it")
    return Problem(place, key, f"unknown key{guess(key, sorted(SECTIONS))}")


def _scalars(source: Source) -> None:
    values = {**source.sections, "hosts": source.hosts}
    pending = set(settle(values, Inventory)[1])
    for loc, value in _walk(values, ()):
        field_name = ".".join(map(str, loc))
        if loc in pending or (TO_FILL in value and value != TO_FILL):
            owner = known_by(field_name)
            step = "ask the DSI, then write the value" if owner == "dsi" else "write the value"
            source.problems.append(Problem(source.where(loc), field_name, PENDING, owner, step))
        elif any(mark in value for mark in ("{{", "{%", "{#")):
            what = f"a template ({value[:40]!r}), not a value"
            source.problems.append(Problem(source.where(loc), field_name, what, next_step="write the value itself"))


def known_by(field_name: str) -> Owner:
    """Return who knows the value of a field, as `network.public_name`."""
    return "dsi" if field_name.startswith(_KNOWN_BY_DSI) else "provider"


def _walk(value: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, str):
        yield loc, value
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from _walk(inner, (*loc, key))


def _iso(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(type(value))
