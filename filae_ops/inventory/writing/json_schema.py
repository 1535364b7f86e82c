"""The JSON Schema (draft 2020-12) of an inventory's files, for editors: written from the model."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.register.lookup import third_party_hosts, third_party_services

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LEAF = {"enum", "const", "pattern", "format"}
_LATER = {"const": TO_FILL}
_DATE = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
Schema = dict[str, Any]


def inventory_schema() -> Schema:
    """Return the schema of the files of group_vars/all: each holds some of the sections."""
    from filae_ops.register.lookup import duties

    schema = _written(Inventory, {"directory", "fingerprint", "hosts"})
    schema.pop("required")
    duty = schema["properties"]["responsibilities"]["anyOf"][0]
    duty |= {"additionalProperties": duty.pop("patternProperties").popitem()[1], "propertyNames": {"enum": [*duties()]}}
    return _titled("Sections of group_vars/all/*.yml", schema)


def hosts_schema() -> Schema:
    """Return the schema of hosts.yml, in both of its forms: `filae:` alone, or below `all: children:`."""
    host = _written(Host, {"name"})
    definitions = host.pop("$defs")
    name = {"pattern": "^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$"}
    machines = {"type": "object", "additionalProperties": host, "propertyNames": name, "minProperties": 1}
    group = _object({"hosts": machines})
    children = _object({"filae": group})
    forms = _object({"filae": group, "all": _object({"children": children})}, required=())
    return _titled("hosts.yml", {**forms, "minProperties": 1, "$defs": definitions})


def text(schema: Schema, *, indent: int | None = None) -> str:
    """Return a schema as a file, on one line unless it is indented."""
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(schema, indent=indent, ensure_ascii=False, separators=separators) + "\n"


def _object(properties: Schema, required: tuple[str, ...] | None = None) -> Schema:
    wanted = list(properties if required is None else required)
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": wanted} if wanted else found


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": DIALECT, "title": title, **schema}


def _written(model: type[BaseModel], without: set[str]) -> Schema:
    """Return a model's schema as people write it: some keys apart, groups of comments, values still to fill in."""
    schema: Schema = model.model_json_schema(by_alias=True)
    for key in without:
        schema["properties"].pop(key)
    schema["required"] = [key for key in schema["required"] if key not in without]
    _register(schema["$defs"])
    shaped: Schema = _shaped(schema)
    return {**shaped, "$defs": _reached(shaped)}


def _register(definitions: Schema) -> None:
    """Give the names that the register knows."""
    if "Hosting" in definitions:
        for key, names in (("host_id", third_party_hosts()), ("service_id", third_party_services(None))):
            node = definitions["Hosting"]["properties"][key]
            node["anyOf"] = [{"enum": names}, {"type": "null"}]


def _shaped(node: Any) -> Any:
    if isinstance(node, list):
        return [_shaped(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: value if key in ("enum", "required", "const") else _shaped(value) for key, value in node.items()}
    for key in ("properties", "patternProperties"):
        if isinstance(node.get(key), dict):
            node[key] = {name: _property(value) for name, value in node[key].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict) and _is_leaf(node[key]):
            node[key] = {"anyOf": [node[key], _LATER]}
    return {**node, "pattern": _DATE} if node.get("format") == "date" else node


def _property(node: Any) -> Any:
    """Accept in a field what the loader leaves out: comments alone in an optional group, and `a-renseigner`."""
    if not isinstance(node, dict):
        return node
    said = {key: node.pop(key) for key in ("title", "description", "default") if key in node}
    optional = "default" in said
    kinds = node.pop("anyOf") if set(node) == {"anyOf"} else [node]
    if isinstance(said.get("default"), dict) and {"type": "null"} not in kinds:
        kinds = [*kinds, {"type": "null"}]
    if optional or any(map(_is_leaf, kinds)):
        kinds = [*kinds, _LATER]
    kept = {"description": said["description"]} if "description" in said else {}
    return {**kept, **kinds[0]} if len(kinds) == 1 else {**kept, "anyOf": kinds}


def _is_leaf(node: Any) -> bool:
    return bool(_LEAF & set(node)) or node.get("type") in ("integer", "number", "boolean")


def _reached(schema: Schema) -> Schema:
    """Return the definitions that a schema refers to, one way or another."""
    definitions, pending = schema["$defs"], [schema["properties"]]
    found: set[str] = set()
    while pending:
        names = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(pending.pop()))) - found
        found |= names
        pending += [definitions[name] for name in names]
    return {name: definitions[name] for name in sorted(found)}
