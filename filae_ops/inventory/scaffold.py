"""The first draft of an inventory: commented, only the fields that the hosting model needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import yaml
from pydantic import TypeAdapter, ValidationError

from filae_ops.errors import OpsError
from filae_ops.inventory.access import OperatorName
from filae_ops.inventory.answers import Answers
from filae_ops.inventory.fields import Environment, HostingModel, HostOrAddress, PublicName, Slug
from filae_ops.inventory.keys import HostKey, SshKey
from filae_ops.inventory.pending import TO_FILL
from filae_ops.inventory.standard_flows import standard_flows
from filae_ops.paths import data_path

MODELS = {
    "internal": "L'établissement héberge et administre lui-même.",
    "internal_infogere": "L'établissement héberge ; un infogérant administre.",
    "internal_vendor_admin": "Machine virtuelle de l'hôpital, système administré par le prestataire.",
    "ght": "Un autre établissement du groupement (GHT) héberge.",
    "hds_host": "Hébergeur certifié HDS.",
    "third_party": "Autre tiers : l'hébergement de données de santé y demande un certificat HDS.",
}
_THEMES = ("site", "hosting", "governance", "access", "flows", "app", "tls", "backup", "patching")


def render(answers: Answers) -> dict[Path, str]:
    """Return the text of each file, by its path in the inventory."""
    _check(answers)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_path("templates", "inventory")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, not HTML: every value goes through _scalar
    )
    names = {Path("hosts.yml"): "hosts"} | {Path("group_vars/all", f"{name}.yml"): name for name in _THEMES}
    if answers.tls_provided:
        names[Path("secrets.yml")] = "secrets"
    values = context(answers)
    return {path: environment.get_template(f"{name}.yml.j2").render(values) for path, name in names.items()}


def context(answers: Answers) -> dict[str, Any]:
    """Return what the templates show: every value already written as YAML."""
    values = {item.name: getattr(answers, item.name) for item in dataclasses.fields(answers)}
    shown = {key: _shown(value) for key, value in values.items()}
    shown["settings"] = [{"name": _scalar(k), "value": json.dumps(v)} for k, v in answers.settings.items()]
    shown["flows"] = [_shown(flow) for flow in standard_flows(answers)]
    shown["hosting_words"] = MODELS[answers.hosting]
    shown["third_party"] = answers.hosting in ("hds_host", "third_party")
    shown["tls_provided"] = answers.tls_provided
    return shown


def write(path: Path, answers: Answers) -> list[Path]:
    """Write the inventory whole or not at all; refuse a path that holds anything."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OpsError(
            f"{path} is not empty: nothing was written",
            next_step="choose a new directory, or remove this one",
        )
    files = render(answers)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
        draft = Path(scratch) / "draft"
        for name, text in files.items():
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            target.chmod(0o600 if name.name == "secrets.yml" else 0o644)
        draft.replace(path)
    return sorted(files)


def remaining(files: Mapping[Path, str]) -> list[str]:
    """Return `file:line: key` of each value left to fill in."""
    return [
        f"{path}:{number}: {line.strip().removeprefix('- ').split(':')[0]}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if TO_FILL in line and not line.lstrip().startswith("#")
    ]


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
        return f"[{', '.join(str(_scalar(inner)) for inner in value)}]" if value else None
    return _scalar(value)


def _scalar(value: Any) -> Any:
    """Write a value as YAML, plain when it reads back as itself."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | dt.date):
        return str(value)
    try:
        plain = yaml.safe_load(f"k: [{value}]") == {"k": [value]} and yaml.safe_load(f"k: {value}") == {
            "k": value
        }
    except yaml.YAMLError:
        plain = False
    return value if plain else json.dumps(value, ensure_ascii=False)
