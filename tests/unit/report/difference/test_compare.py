"""What differs between two inventories, in words: each thing that matters has its sentence, and nothing is left out."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host, Machine
from filae_ops.register.lookup import fields
from filae_ops.report.difference.change import GROUPS, same
from filae_ops.report.difference.compare import changes
from filae_ops.report.difference.sentences import label, sentence
from filae_ops.report.document.rendering import words

MISSING = words("review", "fr")["missing"]
ONE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBlVPPxVyOGGHHFLRiKtFsFQpoQJH3Xc8kG0rXzkKPVW"
TWO = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDyh5uTVoPyUpOXAOVcU7VGWx0OVgsBmHOTeHw4gc4QE"
BEFORE: dict[str, Any] = {
    "site": {"name": "chv-production", "establishment": "CH de V.", "environment": "production"},
    "hosting": {
        "model": "hds_host", "host_id": "ovhcloud", "certificates": {"hds": {"number": "12", "to": "2027-01-01"}},
        "choice_record": {"file": "evidence/choice.pdf", "date": "2026-01-02"}, "storage_countries": ["FR"],
    },
    "access": {
        "administration_networks": ["10.1.0.0/16"],
        "operators": [{"name": "amartin", "keys": [{"key": ONE, "until": "2027-06-30"}]},
                      {"name": "bdurand", "keys": [{"key": TWO, "until": "2027-06-30"}], "state": "present"}],
    },
    "flows": [
        {"id": "ssh", "description": "Administration", "direction": "in", "from": ["administration"],
         "to": ["machine"], "proto": "tcp", "port": [22]},
        {"id": "https", "description": "Utilisateurs", "direction": "in", "from": ["10.0.0.0/8"], "to": ["machine"],
         "proto": "tcp", "port": [80, 443], "owner": "dsi"},
        {"id": "mail", "description": "Messages", "direction": "out", "from": ["machine"], "to": ["10.9.0.25"],
         "proto": "tcp", "port": [25]},
    ],
    "backup": {"kinds": ["files", "database"], "interval_hours": 24, "retention_days": None},
    "machines": [{"name": "filae-1", "cpus": 4, "os": {"id": "debian", "version": "13"},
                  "connection": {"ansible_host": "10.0.0.5", "host_key": ONE}}],
    "documents": {"dat": {"file": "evidence/dat.pdf"}},
    "responsibilities": {"D-POWER": {"dsi": "RA"}},
}  # fmt: skip
DATABASE = {"id": "db", "description": "Infocentre", "direction": "in", "from": ["10.1.0.0/16"], "to": ["machine"],
            "proto": "tcp", "port": [5432], "owner": "dsi"}  # fmt: skip


def edited(*steps: Any) -> dict[str, Any]:
    """Return the inventory with one edit: a path, then a value (`...` removes)."""
    tree: Any = copy.deepcopy(BEFORE)
    *path, last, value = steps
    place = tree
    for step in path:
        place = place[step]
    if value is ...:
        del place[last]
    elif last == "+":
        place.append(value)
    else:
        place[last] = value
    return tree


def said(before: Any, after: Any, lang: str = "fr") -> list[str]:
    return [sentence(change, lang) for change in changes(before, after)]


WORDS = {
    "opens": (("flows", "+", DATABASE),
              "Ouvre TCP 5432 (base de données PostgreSQL) depuis 10.1.0.0/16 vers la machine : Infocentre (flux db,"
              " propriétaire : DSI)"),
    "closes": (("flows", 2, ...), "Ferme TCP 25 (SMTP) depuis la machine vers 10.9.0.25 : Messages (flux mail)"),
    "changes": (("flows", 1, "port", [443, 8443]),
                "Flux https modifié : ouvre TCP 8443 depuis 10.0.0.0/8 vers la machine ; ferme TCP 80 (HTTP) depuis"
                " 10.0.0.0/8 vers la machine"),
    "describes": (("flows", 0, "description", "Autre"), "Flux ssh modifié : description : Administration → Autre"),
    "admits": (("access", "administration_networks", "+", "172.16.5.0/24"),
               "172.16.5.0/24 ajouté aux réseaux d'administration : ouvre TCP 22 (SSH) depuis ces adresses"),
    "admitted already": (("access", "administration_networks", "+", "10.1.5.0/24"),
                         "10.1.5.0/24 ajouté aux réseaux d'administration, qui l'admettaient déjà par 10.1.0.0/16"),
    "enters": (("access", "dsi", [{"name": "cpetit", "keys": [{"key": TWO, "until": "2026-12-31"}]}]),
               "Compte de la DSI cpetit ajouté : clé SHA256:"),
    "leaves": (("access", "operators", 1, ...), "Opérateur bdurand retiré de l'inventaire"),
    "is revoked": (("access", "operators", 1, "state", "absent"),
                   "Opérateur bdurand révoqué : compte verrouillé, clés retirées"),
    "has another key": (("access", "operators", 0, "keys", 0, {"key": TWO, "until": "2028-01-31"}),
                        "Clé du compte amartin remplacée : SHA256:"),
    "stays longer": (("access", "operators", 0, "keys", 0, "until", "2028-06-30"),
                     "dernier jour de validité prolongé du 30/06/2027 au 30/06/2028"),
    "stays shorter": (("access", "operators", 0, "keys", 0, "until", "2026-06-30"), "ramené du 30/06/2027 au"),
    "moves": (("hosting", "host_id", "scaleway"), "Hébergeur changé de OVH"),
    "another model": (("hosting", "model", "internal"),
                      "Modèle d'hébergement changé de « hébergeur certifié HDS » à « l'hôpital, par lui-même »"),
    "certificate": (("hosting", "certificates", "hds", "to", "2029-01-01"), "prolongé du 01/01/2027 au 01/01/2029"),
    "document": (("documents", "aipd", {"file": "evidence/aipd.pdf", "date": "2026-05-04"}),
                 "evidence/aipd.pdf (04/05/2026)"),
    "document away": (("documents", "dat", ...), "Document retiré : "),
    "document denied": (("documents", "dat", None), "(c'était evidence/dat.pdf ; maintenant : aucun (déclaré))"),
    "document other": (("documents", "dat", "file", "evidence/dat-2.pdf"),
                       "evidence/dat.pdf par evidence/dat-2.pdf"),
    "document dated": (("hosting", "choice_record", "date", "2026-03-04"), "Document redaté"),
    "hours": (("backup", "interval_hours", 72), "24 → 72"),
    "kinds": (("backup", "kinds", ["database", "machine_snapshot"]), "ajout de instantané de la machine et retrait de"),
    "order": (("backup", "kinds", ["database", "files"]), "ordre modifié, contenu inchangé"),
    "null and left out": (("backup", "retention_days", ...), f"aucun (déclaré) → {MISSING}"),
    "countries": (("hosting", "storage_countries", ["FR", "US"]), "ajout de US"),
    "machine": (("machines", "+", {"name": "filae-2", "cpus": 2}), "Machines (filae-2) : ajout (nom filae-2, "),
    "host key": (("machines", 0, "connection", "host_key", TWO), "Clé d'hôte SSH de filae-1 remplacée : SHA256:"),
    "addition": (("machines", 0, "additions", [{"path": "/opt/falcon", "purpose": "EDR", "owner": "dsi"}]),
                 "Ajout de l'établissement à la machine (filae-1, /opt/falcon) : ajout (fichier ou dossier /opt/falcon,"
                 " raison d'être EDR, propriétaire DSI)"),
    "letters": (("responsibilities", "D-POWER", "dsi", "R"), "RA → R"),
    "whole section": (("continuity", {"rank": 2}), f"{MISSING} → 2"),
    "empty section": (("continuity", {}), f"{MISSING} → aucun (déclaré)"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_each_change_has_its_words(name):
    steps, wanted = WORDS[name]
    found = said(BEFORE, edited(*steps))
    assert len(found) == 1
    assert wanted in found[0]
    assert said(edited(*steps), BEFORE), "and the way back has words too"
    english = said(BEFORE, edited(*steps), "en")
    assert len(english) == 1
    assert english[0] != found[0]


ADDED = {"purpose": "EDR", "owner": "dsi"}
ADDITIONS = [{"path": "/opt/falcon", **ADDED}, {"unit": "falcon.service", **ADDED}, {"account": "falcon", **ADDED}]


def test_each_addition_to_a_machine_is_told_apart():
    before, after = edited("machines", 0, "additions", ADDITIONS), edited("machines", 0, "additions", ADDITIONS[1:])
    after["machines"][0]["additions"][0] = {**ADDITIONS[1], "owner": "host"}
    assert said(before, after) == [
        "Ajout de l'établissement à la machine (filae-1, /opt/falcon) : retrait (fichier ou dossier /opt/falcon,"
        " raison d'être EDR, propriétaire DSI)",
        "Ajout de l'établissement à la machine, propriétaire (filae-1, falcon.service) : DSI → hébergeur",
    ]
    assert {change.group for change in changes(before, after)} == {"access"}


def test_nothing_changed_is_nothing_said():
    assert changes(BEFORE, copy.deepcopy(BEFORE)) == []


def test_flows_come_first_then_access_hosting_documents():
    after = edited("flows", "+", DATABASE)
    after["backup"]["interval_hours"] = 12
    after["documents"]["dat"] = None
    after["hosting"]["host_id"] = "scaleway"
    after["access"]["operators"].pop()
    groups = [change.group for change in changes(BEFORE, after)]
    assert groups == ["flows", "access", "hosting", "documents", "rest"] == list(GROUPS)


def test_a_renamed_flow_says_that_the_way_stays_open():
    after = edited("flows", 1, "id", "web")
    assert [text.rpartition(". ")[2] for text in said(BEFORE, after)] == [
        "Un autre flux l'ouvre toujours", "Un autre flux l'ouvrait déjà",
    ]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in pairs for place in places(inner, (*path, key)))]


def scrambled(chance: random.Random, origin: Any = None) -> dict[str, Any]:
    """Return the inventory after a few random edits: removed, replaced, added, reordered, of another type."""
    tree: Any = json.loads(json.dumps(origin or BEFORE))
    for _ in range(chance.randint(1, 4)):
        path = chance.choice([place for place in places(tree) if place])
        place = tree
        for step in path[:-1]:
            place = place[step]
        act = chance.randrange(5)
        if act == 0:
            del place[path[-1]]
        elif act == 1 and isinstance(place[path[-1]], list):
            chance.shuffle(place[path[-1]])
        elif act == 2 and isinstance(place[path[-1]], list):
            place[path[-1]].append(copy.deepcopy(chance.choice([*place[path[-1]], "x", None, {"name": "n"}, 1, True])))
        elif act == 3 and isinstance(place[path[-1]], dict):
            place[path[-1]]["added"] = chance.choice([None, [], {}, "", "2026-01-01", 1.0, {"file": "a"}])
        else:
            odd = [None, True, 1, "text", "2030-01-01", [], {}, ["a"], [{"name": "x"}], {"file": "f"}, "[{]"]
            place[path[-1]] = chance.choice(odd)
    return tree


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_edited_something_is_said(seed):
    """The difference is empty exactly when nothing differs, and every difference has words, both ways."""
    chance = random.Random(seed)
    for _ in range(60):
        after = scrambled(chance)
        for left, right in ((BEFORE, after), (after, BEFORE)):
            found = changes(left, right)
            assert bool(found) == (not same(left, right)), json.dumps(after)
            for lang in ("fr", "en"):
                assert all(sentence(change, lang).strip() for change in found)


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models(inner)


def fields_of(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Return every field of the inventory by the name that a change gives it."""
    for key, field in model.model_fields.items():
        name = f"{above}.{field.alias or key}" if above else field.alias or key
        yield name
        listed = "[]" if "tuple" in str(field.annotation) else ""
        for inner in dict.fromkeys(models(field.annotation)):
            yield from fields_of(inner, f"{name}{listed}")


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_field_has_words(lang):
    """No field is said by its name in the files, so that a reader need not know these."""
    machine = [f"machines[].{name}" for name in fields_of(Machine)]
    connection = [f"machines[].connection.{name}" for name in Host.model_fields if name not in ("name", "machine")]
    own = {"directory", "fingerprint", "hosts"}
    inventory = [name for name in fields_of(Inventory) if name.partition(".")[0] not in own]
    say, known = words("difference", lang), fields()
    bare = [
        name
        for name in [*machine, *connection, *inventory]
        if name not in known and name not in say["fields"] and name.rpartition(".")[2] not in say["parts"]
    ]
    assert bare == [], bare
    assert all(label(name, lang) for name in inventory)
