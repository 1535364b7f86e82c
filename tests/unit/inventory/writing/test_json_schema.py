"""The JSON Schema says what the model says: editors refuse what the loader refuses, as far as a schema can see."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from examples import EXAMPLES
from material.inventories import filled
from typer.testing import CliRunner
from unit.inventory.model.test_refused_values import VALUES
from unit.inventory.reading.test_declared_tree import BAD, BAD_EDITS, WHOLE, Plain
from unit.inventory.reading.test_yaml_files import FILES

from filae_ops.cli import app
from filae_ops.inventory.types.choices import MODELS
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.field_tree import machine, sections, walk
from filae_ops.inventory.writing.json_schema import hosts_schema, inventory_schema, text
from filae_ops.inventory.writing.scaffold import render
from filae_ops.paths import data_path

CHECKS = jsonschema.FormatChecker(["date"])
SCHEMAS = {"hosts.yml": hosts_schema(), "all": inventory_schema()}


def problems(name: str, content: str) -> list[str]:
    """Return what an editor underlines: it reads dates as text."""
    schema = SCHEMAS["hosts.yml" if name == "hosts.yml" else "all"]
    values = json.loads(json.dumps(yaml.safe_load(content), default=str))
    checker = jsonschema.Draft202012Validator(schema, format_checker=CHECKS)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(values)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_one_and_refers_to_nothing_missing(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    used = {word.split("/")[-1] for word in json.dumps(SCHEMAS[name]).split('"') if word.startswith("#/$defs/")}
    assert used == set(SCHEMAS[name]["$defs"])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("answers", [filled(), Answers(name="essai", hosting="internal")], ids=["filled", "draft"])
def test_what_init_writes_is_valid(model, answers):
    from dataclasses import replace

    for path, content in render(replace(answers, hosting=model)).items():
        if path.name != "secrets.yml":
            assert problems(path.name, content) == [], path


def test_the_example_inventories_are_valid():
    files = [path for path in data_path("inventories").rglob("*.yml") if path.name != "secrets.yml"]
    assert len(files) > 8
    for path in files:
        assert problems(path.name, path.read_text()) == [], path


def test_every_field_may_be_declared():
    assert problems("more.yml", yaml.dump(WHOLE, Dumper=Plain)) == []


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("which", ["hosts.yml", "all"])
def test_the_schema_beside_an_inventory_is_todays(name, which):
    file = "hosts" if which == "hosts.yml" else "inventory"
    path = data_path("inventories", name, ".filae", f"{file}.schema.json")
    assert path.read_text() == text(SCHEMAS[which]), "run .venv/bin/python tests/examples.py"


def test_the_schema_has_every_field_of_the_model_and_its_meaning():
    known = json.dumps(SCHEMAS)
    for node in walk([*sections(), *machine()]):
        assert node.path == "machines[]" or f'"{node.name}": {{' in known, node.path
        assert json.dumps(node.meaning)[1:-1] in known or node.model, node.path


UNSEEN = {
    # Two fields together, two items together, or files: no schema of one file sees them.
    "a contract that ends first", "a certificate that ends first", "a derogation that ends first", "a section twice",
    "a service without its host", "the service of another", "a clause twice",
    # The day itself, and the words of ISO 3166.
    "an impossible year", "an unknown country", "a country of another standard",
    # YAML itself refuses them, before any schema.
    "a tab", "a key twice", "an alias bomb", "an impossible day",
    # Read by Ansible as they are: refused by the loader, where an editor accepts what is still to fill in.
    "support that ends on no day",
}  # fmt: skip


@pytest.mark.parametrize("row", [row for row in BAD if row[0] not in UNSEEN], ids=lambda row: row[0])
def test_an_editor_refuses_it_too(row):
    assert problems("more.yml", row[1]) != []


@pytest.mark.parametrize("row", [row for row in BAD_EDITS if row[0] not in UNSEEN], ids=lambda row: row[0])
def test_an_editor_refuses_the_edit_too(row):
    _, name, old, new, _ = row
    directory = data_path("inventories", "demo")
    path = directory / name if name == "hosts.yml" else directory / "group_vars/all" / name
    assert problems(name, path.read_text().replace(old, new, 1)) != []


SEEN = {
    "unknown section", "unknown key", "unknown nested", "missing key", "number for text", "text for number",
    "text for bool", "number for bool", "text for mapping", "nothing for mapping", "base 60", "choice", "no date",
    "french date", "number as date", "impossible quoted date", "unknown group", "group variables", "wrong group",
    "machine's name", "host variable", "password", "host key off",
    "no key", "port 0", "port 70000", "port as text", "no processor", "unknown system", "party", "day", "no day",
    "setting's number", "wait's name", "wait of none", "wait of days", "no signer", "backup kind", "interval",
    "mirror alone", "certificate out", "certificate absolute",
}  # fmt: skip


@pytest.mark.parametrize("row", [row for row in [*FILES, *VALUES] if row[0] in SEEN], ids=lambda row: row[0])
def test_an_editor_refuses_what_the_loader_refuses(row):
    name, old, new = row[1:4]
    directory = data_path("inventories", "demo")
    path = directory / name if name == "hosts.yml" else directory / "group_vars/all" / name
    assert problems(name, path.read_text().replace(old, new, 1)) != []


ADDITIONS = [
    ("path: /opt/agent", True), ("path: opt/agent", False), ("path: /opt/../etc", False), ("path: '/opt/*'", False),
    ("unit: agent.service", True), ("unit: agent", False), ("package: agent", True), ("package: Agent", False),
    ("account: agent", True), ("account: a b", False), ("nft_table: ip nat", True), ("nft_table: nat", False),
    ("folder: /opt/agent", False),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "valid"), ADDITIONS)
def test_an_editor_sees_the_form_of_an_addition(entry, valid):
    text = data_path("inventories", "demo", "hosts.yml").read_text()
    found = problems("hosts.yml", f"{text}        additions:\n          - {{{entry}, purpose: essai}}\n")
    assert (found == []) is valid, found


def test_the_command_prints_it_or_writes_it(tmp_path: Path):
    runner = CliRunner()
    assert json.loads(runner.invoke(app, ["schema"]).stdout) == SCHEMAS["all"]
    target = tmp_path / "new" / "hosts.schema.json"
    result = runner.invoke(app, ["schema", "--hosts", "-o", str(target)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(target.read_text()) == SCHEMAS["hosts.yml"]


def test_a_file_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["schema", "-o", str(tmp_path / "file" / "x.json")])
    assert "cannot be written" in str(result.exception)
