"""The example inventories: each loads, and its review says exactly what it is an example of."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from examples import AS_OF, EXAMPLES

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.problems import InventoryError
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.scaffold import render
from filae_ops.judge.case.verdict import Judgement
from filae_ops.paths import data_path
from filae_ops.report.review.one_site import judged

REVIEWED = [name for name in EXAMPLES if name != "demo"]
LEGAL = {"RGPD-07", "HDS-24"}
"""What only a lawyer answers, whatever the site."""
FROM_MEMORY = {"RGPD-01", "RGPD-05"}
"""Blocking rules that nobody has read in their text yet: what is declared does, the rule is to confirm."""
NON_COMPLIANT = {
    "RGPD-01": "the file that art28 names is not there",
    "RGPD-05": "storage and access in the United States and in India",
    "HDS-01": "the copy of the certificate is not there",
    "HDS-04": "certified against the referential of 2018",
    "HDS-06": "certified for two activities, more are entrusted",
    "HDS-07": "two of the four control tasks are with the provider",
    "HDS-10": "storage in the United States",
    "HDS-11": "access from third countries, without safeguards",
    "HDS-12": "extra-European laws are not declared",
    "HDS-20": "no clause against another use of the data",
    "SNC-03": "the qualification of a service that has none",
    "SNC-04": "the same, as to its dates",
    "SNC-05": "the same, as to its version",
    "SNC-07": "a qualification would not replace the certificate",
    "SNC-08": "a qualified service stays in the Union",
    "SNC-12": "a derogation of 2021",
    "EXT-01": "immunity without a qualification",
    "OS-01": "Debian 11",
    "NET-02": "no way out to the internet",
    "BCK-01": "files alone, once a week",
    "BCK-02": "no restoration was ever tried",
    "INC-01": "no procedure, nobody to reach",
}
"""What the counter-example is made to fail, and by what."""
GAPS = {"HDS-05", "SW-01", "SW-02", "NET-09", "TLS-04", "ADM-01", "ADM-02", "ADM-05", "LOG-01", "CTR-01", "EXT-08"}
"""Some of what else it is made to fail: ends that have passed, the database open to a network, an empty document."""


@cache
def example(name: str) -> tuple[Inventory, Judgement]:
    inventory = load(data_path("inventories", name))
    return inventory, judged(inventory, AS_OF)[1]


def with_status(name: str, *statuses: str) -> set[str]:
    return {each.requirement.id for each in example(name)[1].verdicts if each.status in statuses}


def stopping(name: str) -> set[str]:
    return {each.requirement.id for each in example(name)[1].stopped_by("block")}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_loads_as_what_it_says_it_is(name):
    inventory = example(name)[0]
    assert inventory.hosting.model == EXAMPLES[name].hosting
    assert inventory.site.environment == EXAMPLES[name].environment
    assert "fictif" in inventory.site.establishment


def test_the_hospitals_machine_lacks_nothing_but_a_lawyers_answer():
    assert stopping("hospital-vm") == LEGAL | FROM_MEMORY
    assert with_status("hospital-vm", "non_compliant", "gap", "to_document") == set()
    memory = [each for each in example("hospital-vm")[1].verdicts if each.requirement.id in FROM_MEMORY]
    assert all(each.status == "to_confirm" and each.from_memory for each in memory)


def test_the_certified_host_leaves_open_what_it_says():
    assert stopping("hds-host") == LEGAL | FROM_MEMORY
    assert with_status("hds-host", "non_compliant") == set()
    assert with_status("hds-host", "gap") == {"CTR-07", "NET-06"}
    assert with_status("hds-host", "to_document") == {"IDN-01", "PRG-02"}
    judgement = example("hds-host")[1]
    assert (judgement.immunity.result, judgement.immunity.step) == ("immune", 2)


def test_the_counter_example_fails_what_it_is_made_to_fail():
    assert with_status("counter-example", "non_compliant") == set(NON_COMPLIANT)
    assert with_status("counter-example", "gap") >= GAPS
    assert example("counter-example")[1].immunity.result == "not_immune"


def test_an_account_of_the_counter_example_has_ended():
    operators = example("counter-example")[0].access.operators
    assert {each.name: bool(each.valid_keys(AS_OF)) for each in operators} == {"amartin": False, "bnguyen": True}


@pytest.mark.parametrize("name", ["hospital-vm", "hds-host"])
def test_each_file_that_is_declared_is_there_and_each_that_is_there_is_declared(name):
    inventory, judgement = example(name)
    assert [each.path for each in judgement.evidence.values() if each.problem] == []
    there = {path.name for path in (inventory.directory / "evidence").iterdir()}
    assert there == {Path(each).name for each in judgement.evidence if each.startswith("evidence/")}
    for path in inventory.directory.glob("evidence/*.md"):
        assert "Pièce fictive" in path.read_text(encoding="utf-8")


def test_the_files_of_the_counter_example_are_absent_or_empty():
    problems = {each.path: each.problem for each in example("counter-example")[1].evidence.values() if each.problem}
    assert problems == {
        "evidence/choix-hebergement.md": "empty",
        "evidence/contrat-art28.md": "absent",
        "evidence/certificat-hds.pdf": "absent",
    }


def test_nothing_here_opens_anything():
    for path in data_path("inventories").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PRIVATE KEY" not in content, path
            assert path.name != "secrets.yml" or content.startswith(b"$ANSIBLE_VAULT;"), path


@pytest.mark.parametrize("name", ["hospital-vm", "hds-host"])
def test_every_field_that_init_asks_of_this_model_is_there(name):
    draft = render(Answers(name="chv-production", hosting=EXAMPLES[name].hosting))
    asked = {path: set(_fields(yaml.safe_load(text))) for path, text in draft.items() if path.name != "secrets.yml"}
    for path, fields in asked.items():
        content = yaml.safe_load((data_path("inventories", name) / path).read_text(encoding="utf-8"))
        closed = {field for field, value in _values(content) if value in (None, [], {})}
        absent = {each for each in fields - set(_fields(content)) if not any(each.startswith(up) for up in closed)}
        assert absent == set(), path


def test_the_hospitals_machine_has_nothing_left_to_fill_in():
    texts = [path.read_text(encoding="utf-8") for path in data_path("inventories", "hospital-vm").rglob("*.yml")]
    assert TO_FILL not in "".join(texts)


def _values(content: Any, above: str = "") -> Any:
    """Yield each field and its value; machines and list items are taken together, whatever their names."""
    if isinstance(content, dict):
        for key, value in content.items():
            name = f"{above}.{'*' if above == '.filae.hosts' else key}"
            yield name, value
            yield from _values(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from _values(value, above)


def _fields(content: Any) -> list[str]:
    return [name for name, _ in _values(json.loads(json.dumps(content, default=str)))]


def test_a_certificate_that_is_still_to_come_stops_no_review_but_everything_else(tmp_path: Path) -> None:
    place = tmp_path / "site"
    shutil.copytree(data_path("inventories", "hospital-vm"), place)
    (place / "tls/certificate.pem").unlink()
    with pytest.raises(InventoryError, match=r"tls\.certificate: .*no such file"):
        load(place)
    found = {each.requirement.id: each for each in judged(load(place, awaited=True), AS_OF)[1].verdicts}
    assert found["TLS-04"].status == "gap"
    assert [each.code for each in found["TLS-04"].findings if each.outcome == "contrary"] == ["file.absent"]
    (place / "tls/certificate.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(InventoryError, match="holds a private key"):
        load(place, awaited=True)
