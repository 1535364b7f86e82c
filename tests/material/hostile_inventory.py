"""An inventory in which every text that takes a hostile value has it."""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from typing import Any

from material.hostile import HOSTILE, leaves, replaced

from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import SECTIONS, Inventory
from filae_ops.inventory.reading.load import build
from filae_ops.inventory.reading.yaml_files import Source, read
from filae_ops.paths import data_path

DAY = dt.date(2026, 7, 1)
MACHINE = "filae-prod"
DOCUMENT = {"file": "evidence/x.pdf", "date": "2026-01-05"}
# Added to the example that declares most, so that every text of the model is declared.
MORE: dict[str, Any] = {
    "hosting.remote_access_guarantees": DOCUMENT,
    "hosting.subhosts": [{"name": "Hôte", "role": "sauvegarde", "country": "FR", "certificate": "evidence/c.pdf"}],
    "hosting.extra_eu.foreign_subsidiaries": ["US"],
    "hosting.extra_eu.declared_laws": ["CLOUD Act"],
    "hosting.derogation": {"basis": "décision", "signed_by": "direction"},
    "app.settings": {"APP_LOCALE": "fr"},
    "backup.offsite.provider_id": "outscale",
    "patching.mirror": {"url": "http://192.0.2.80/debian", "security_url": "http://192.0.2.80/debian-security"},
    "supervision.endpoint": {"place": "Lyon", "country": "FR", "provider": "Prestataire"},
    "network.reverse_proxy": {"product": "HAProxy", "addresses": ["192.0.2.30"]},
    "establishment.ght": {"security_measures": DOCUMENT},
    "documents.acceptance.0.reservations": "aucune",
    "documents.security_audit": {"kind": "test d'intrusion", "file": "evidence/x.pdf"},
}
ACCESS = {"ansible_user": "deploiement", "ansible_ssh_private_key_file": "~/.ssh/id_ed25519"}
ADDITIONS = [
    {"path": "/opt/agent", "purpose": "agent", "owner": "dsi"}, {"unit": "agent.service", "purpose": "x"},
    {"package": "agent", "purpose": "x"}, {"account": "agent", "purpose": "x"}, {"nft_table": "ip nat", "purpose": "x"},
]  # fmt: skip
EXTENDED_SUPPORT = {"name": "ELTS", "contract": "evidence/x.pdf"}


@functools.cache
def example() -> Source:
    """Return the example of a certified host, with every text declared."""
    source = read(data_path("inventories", "hds-host"))
    host = {**json.loads(json.dumps(source.hostvars()[MACHINE])), **ACCESS}
    host = replaced(host, ("machine", "os"), lambda system: {**system, "extended_support": EXTENDED_SUPPORT})
    host = replaced(host, ("machine",), lambda declared: {**declared, "additions": ADDITIONS})
    for path, value in MORE.items():
        place = tuple(int(part) if part.isdigit() else part for part in path.split("."))
        host = replaced(host, place[:-1], lambda above, key=place[-1], value=value: {**above, key: value})
    source.sections = {key: value for key, value in host.items() if key in SECTIONS}
    source.hosts = {MACHINE: {key: value for key, value in host.items() if key not in SECTIONS}}
    return source


def built(host: dict[str, Any]) -> Inventory:
    return build(example(), {MACHINE: host})


@functools.cache
def declared() -> dict[str, Any]:
    return example().hostvars()[MACHINE]


def generic(place: tuple[Any, ...]) -> str:
    """Return the path of the field that a place is of."""
    text = "".join("[]" if isinstance(part, int) else f".{part}" for part in place)[1:]
    return re.sub(r"^machine(?=\.)", "machines[]", text).removesuffix("[]")


@functools.cache
def fields() -> tuple[tuple[Any, ...], ...]:
    """Return the first place of each field."""
    return tuple({generic(place): place for place in reversed([*leaves(declared())])}.values())


@functools.cache
def accepted(hostile: str) -> tuple[tuple[Any, ...], ...]:
    """Return the places where the model takes a text."""
    places = []
    for place in fields():
        try:
            built(replaced(declared(), place, lambda _: HOSTILE[hostile]))
        except OpsError:
            continue
        places.append(place)
    return tuple(places)


@functools.cache
def inventory(hostile: str) -> Inventory:
    """Return an inventory that says a text wherever the model takes it."""
    host = declared()
    for place in accepted(hostile) if hostile else ():
        host = replaced(host, place, lambda _: HOSTILE[hostile])
    return built(host)
