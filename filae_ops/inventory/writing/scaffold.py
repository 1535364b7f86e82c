"""The first draft of an inventory: commented, only the fields that the hosting model needs."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from pydantic import TypeAdapter, ValidationError

from filae_ops import strict_yaml
from filae_ops.errors import OpsError
from filae_ops.inventory.model.access import OperatorName
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.pending import settle
from filae_ops.inventory.types.choices import MODELS, TO_FILL
from filae_ops.inventory.types.fields import HostOrAddress, PublicName, Slug
from filae_ops.inventory.types.ssh_keys import HostKey, SshKey
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.fields_to_ask import NOTHING, Asking, scalar
from filae_ops.inventory.writing.json_schema import hosts_schema, inventory_schema, text
from filae_ops.inventory.writing.standard_flows import standard_flows
from filae_ops.paths import data_path
from filae_ops.vocabulary import Environment, HostingModel

INVENTORY_SCHEMA = ".filae/inventory.schema.json"
HOSTS_SCHEMA = ".filae/hosts.schema.json"

_THEMES = (
    "site", "hosting", "governance", "documents", "access", "flows", "app", "tls", "backup", "patching", "supervision",
)  # fmt: skip
_LEGEND = f"# {TO_FILL} : à compléter ; la revue liste ce qui manque encore. null : il n'y en a pas."


def render(answers: Answers) -> dict[Path, str]:
    """Return the text of each file, by its path in the inventory."""
    _check(answers)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_path("templates", "inventory")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, not HTML: every value goes through scalar
    )
    names = {Path("hosts.yml"): "hosts"} | {Path("group_vars/all", f"{name}.yml"): name for name in _THEMES}
    if answers.tls_provided:
        names[Path("secrets.yml")] = "secrets"
    values = context(answers)
    drafts = {path: environment.get_template(f"{name}.yml.j2").render(values) for path, name in names.items()}
    files = {path: _finished(path, draft) for path, draft in drafts.items()}
    return {path: lines for path, lines in files.items() if any(line[:1].isalpha() for line in lines.splitlines())}


def schemas() -> dict[Path, str]:
    """Return what editors check the files with, by its path in the inventory."""
    return {Path(INVENTORY_SCHEMA): text(inventory_schema()), Path(HOSTS_SCHEMA): text(hosts_schema())}


def _finished(path: Path, draft: str) -> str:
    """Drop the lines that nothing is asked on; say which schema an editor checks the file with."""
    lines = [line for line in draft.splitlines() if line != NOTHING]
    if path != Path("secrets.yml"):
        up = "../" * (len(path.parts) - 1)
        name = HOSTS_SCHEMA if path == Path("hosts.yml") else INVENTORY_SCHEMA
        legend = [_LEGEND] if any(TO_FILL in line for line in lines) else []
        lines = [f"# yaml-language-server: $schema={up}{name}", *legend, *lines]
    return "\n".join(lines) + "\n"


def context(answers: Answers) -> dict[str, Any]:
    """Return what the templates show: every value already written as YAML."""
    apart = ("declared", "more_flows", "flows_approved")
    values = {item.name: getattr(answers, item.name) for item in dataclasses.fields(answers) if item.name not in apart}
    shown = {key: _shown(value) for key, value in values.items()}
    shown["settings"] = [{"name": scalar(k), "value": json.dumps(v)} for k, v in answers.settings.items()]
    shown["flows"] = [_shown(flow) for flow in standard_flows(answers)]
    shown["hosting_words"] = MODELS[answers.hosting]
    shown["third_party"] = answers.hosting in ("hds_host", "third_party")
    shown["tls_provided"] = answers.tls_provided
    shown["asking"] = Asking(answers.hosting, answers.ask, answers.declared)
    return shown


def write(path: Path, answers: Answers) -> list[Path]:
    """Write the inventory whole or not at all; refuse a path that holds anything."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OpsError(
            f"{path} is not empty: nothing was written",
            next_step="choose a new directory, or remove this one",
        )
    files = {**render(answers), **schemas()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
        draft = Path(scratch) / "draft"
        for name, content in files.items():
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
            target.chmod(0o600 if name.name == "secrets.yml" else 0o644)
        draft.replace(path)
    return sorted(files)


def remaining(files: Mapping[Path, str]) -> list[str]:
    """Return `file:line: key` of each value that is needed before anything can run."""
    found = []
    for path, content in files.items():
        values, locate = strict_yaml.load(content, name=str(path))
        above = ("filae",) if path.name == "hosts.yml" else ()
        for loc in settle(values["filae"] if above else values, Inventory)[1]:
            key = [part for part in loc if isinstance(part, str)][-1]
            found.append(f"{path}:{locate((*above, *loc))[0]}: {key}")
    return found


def asked_later(files: Mapping[Path, str]) -> int:
    """Return how many values the review asks for, and nothing else needs."""
    lines = [line for content in files.values() for line in content.splitlines()]
    return sum(line.count(TO_FILL) for line in lines if not line.lstrip().startswith("#")) - len(remaining(files))


def _check(answers: Answers) -> None:
    for what, kind, value in _given(answers):
        if value == TO_FILL:
            continue
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError as exc:
            detail = exc.errors(include_url=False)[0]
            context_ = detail.get("ctx", {})
            why = context_.get("why") or f"{value!r}: {detail['msg']}"
            step = context_.get("next_step", "correct it, then run the same command again")
            raise OpsError(f"{what}: {why}", next_step=step, exit_code=2) from None


def _given(answers: Answers) -> Iterator[tuple[str, Any, object]]:
    yield "name", Slug, answers.name
    yield "hosting", HostingModel, answers.hosting
    yield "environment", Environment, answers.environment
    yield "public name", PublicName, answers.public_name
    for machine in answers.machines:
        yield "machine", Slug, machine.name
        yield "address", HostOrAddress, machine.address
        yield "host key", HostKey, machine.host_key
    for person in (*answers.operators, *answers.dsi_accounts):
        yield "operator", OperatorName, person.name
        yield f"operator {person.name}", SshKey, person.key


def _shown(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {item.name: _shown(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _shown(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list) and any(map(dataclasses.is_dataclass, value)):
        return [_shown(inner) for inner in value]
    if isinstance(value, tuple | list):
        return f"[{', '.join(str(scalar(inner)) for inner in value)}]" if value else None
    return scalar(value)
