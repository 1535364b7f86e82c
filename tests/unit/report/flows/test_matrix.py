"""The flow matrix: the columns that DSIs ask for, in two languages, for people, spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sites import run_ops

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import load
from filae_ops.inventory.reading.yaml_files import read
from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.document.rendering import words
from filae_ops.report.flows.flows_page import page
from filae_ops.report.flows.matrix import as_csv, cells, documents, headers, lines, lines_of, matrix, neutral

DEMO = data_path("inventories", "demo")
COLUMNS = [
    "n°", "description", "émetteur (adresse, zone)", "récepteur (adresse, zone)", "sens", "protocole", "port",
    "exposition à Internet", "chiffrement et version", "authentification", "données transportées", "propriétaire",
    "motif", "validé par", "date",
]  # fmt: skip
FLOW: dict[str, Any] = {
    "id": "https", "description": "Accès", "direction": "in", "from": ["192.0.2.0/24"], "to": "machine", "proto": "tcp",
    "port": 443, "encryption": "TLS", "authentication": "mot de passe", "data": "dossiers", "owner": "dsi",
    "justification": "usage",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> Inventory:
    return load(DEMO, reader=lambda path: read(path).hostvars())


def row(**changes: Any) -> dict[str, str]:
    line = lines([{**FLOW, **changes}], ["198.51.100.0/24"], ["192.0.2.10"])[0]
    return dict(zip(COLUMNS, cells(line, "fr"), strict=True))


def test_the_columns_are_those_that_dsis_ask_for() -> None:
    assert list(headers("fr")) == COLUMNS
    assert len(headers("en")) == len(COLUMNS)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_cell_says_something(demo: Inventory, lang: Lang) -> None:
    titles, rows = matrix(demo, lang)
    assert len(rows) > len(demo.flows)
    assert all(len(each) == len(titles) and all(cell.strip() for cell in each) for each in rows)


def test_both_languages_have_the_same_words() -> None:
    def keys(value: Any) -> Any:
        return {key: keys(inner) for key, inner in value.items()} if isinstance(value, dict) else type(value)

    assert keys(dict(words("flows", "fr"))) == keys(dict(words("flows", "en")))


CELLS: dict[str, tuple[dict[str, Any], str, str]] = {
    "the machine's address": ({}, "récepteur (adresse, zone)", "192.0.2.10 (machine)"),
    "named networks": (
        {"from": ["192.0.2.0/24", "2001:db8::/32"]}, "émetteur (adresse, zone)",
        "192.0.2.0/24, 2001:db8::/32 (adresses désignées)"),
    "the administration": (
        {"from": "administration"}, "émetteur (adresse, zone)", "198.51.100.0/24 (administration)"),
    "the internet, in": ({"from": "internet"}, "exposition à Internet", "oui : toute adresse d'Internet"),
    "the internet, out": (
        {"direction": "out", "from": "machine", "to": "internet"}, "exposition à Internet",
        "sortie vers toute adresse d'Internet"),
    "public addresses": ({"from": ["8.8.8.0/24"]}, "exposition à Internet", "oui : adresses publiques désignées"),
    "private addresses": ({"from": ["10.0.0.0/8"]}, "exposition à Internet", "non"),
    "a flow's name": ({}, "description", "Accès (https)"),
    "several ports": ({"port": [80, 443]}, "port", "80, 443"),
    "echo": ({"proto": "icmp", "port": None}, "port", "echo-request"),
    "an owner": ({"owner": "provider"}, "propriétaire", "prestataire logiciel"),
    "no encryption said": ({"encryption": None}, "chiffrement et version", "à renseigner"),
    "no data said": ({"data": None}, "données transportées", "à renseigner"),
    "no owner said": ({"owner": None}, "propriétaire", "à renseigner"),
    "no other end said": ({"from": [None]}, "émetteur (adresse, zone)", "à renseigner (adresses désignées)"),
    "no port said": ({"port": None}, "port", "à renseigner"),
    "no approval": ({}, "validé par", "à renseigner"),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_a_cell(name: str) -> None:
    changes, column, expected = CELLS[name]
    assert row(**changes)[column] == expected


def test_programs_read_null_and_what_is_missing(demo: Inventory) -> None:
    flow = {**FLOW, "owner": None}
    found = documents(lines([flow], [], ["192.0.2.10"]))
    assert found[0]["owner"] is None
    assert found[0]["missing"] == ["owner", "approved_by", "approved_on"]
    assert all(each["missing"] == [] for each in found if each["always"])
    assert json.loads(json.dumps(documents(lines_of(demo))))[0]["ports"] == [443]


def test_a_french_excel_reads_the_file(demo: Inventory) -> None:
    text = as_csv(lines_of(demo), "fr")
    assert text.startswith("\ufeffn°;")
    assert text.endswith("\r\n")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[0] == COLUMNS
    assert {len(each) for each in rows} == {len(COLUMNS)}
    assert not any(re.fullmatch(r"\d+,\d+", cell) for each in rows for cell in each), "a decimal, to Excel"


@pytest.mark.parametrize("cell", ["=1+1", "+33 1", "-1", "@SUM(A1)", "\t=1", " =cmd|'/c calc'!A0", "\r=1"])
def test_no_cell_is_computed(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"
    written = as_csv(lines([{**FLOW, "data": cell}], [], ["192.0.2.10"]), "fr")
    rows = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert rows[1][10].startswith("'")


def test_other_cells_are_as_written() -> None:
    assert [neutral(cell) for cell in ("a=b", "TLS 1.2", "10.0.0.0/8")] == ["a=b", "TLS 1.2", "10.0.0.0/8"]


def test_the_page_escapes_what_the_inventory_says(demo: Inventory) -> None:
    flow = demo.flows[0].model_copy(update={"description": "<script>alert(1)</script>"})
    text = page(demo.model_copy(update={"flows": (flow, *demo.flows[1:])}), "fr")
    assert "<script" not in text
    assert text.count("<table>") == 2
    assert '<html lang="fr">' in text
    assert "http://" not in text.replace("http://www.w3.org", "").replace(" (http)", "")


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_terminal_s_table_fits(lang: str) -> None:
    done = run_ops("-i", str(DEMO), "flows", "--lang", lang, env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for word in ("192.0.2.64/26", "2001:db8:10::/48", "TCP 3128", "F9"):
        assert word in done.stdout


def test_flows_that_lack_nothing_are_not_said_to_lack() -> None:
    documented = run_ops("-i", str(DEMO.parent / "hospital-vm"), "flows", "--lang", "en")
    assert documented.returncode == 0, documented.stderr
    assert "To be documented" not in documented.stdout
    assert "To be documented" in run_ops("-i", str(DEMO), "flows", "--lang", "en").stdout


def test_the_command_writes_files_and_one_document(tmp_path: Path) -> None:
    names = ("--csv", str(tmp_path / "f.csv"), "--html", str(tmp_path / "f.html"), "--json")
    done = run_ops("-i", str(DEMO), "flows", *names)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["site"] == "chv-demo"
    assert (tmp_path / "f.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert "</html>" in (tmp_path / "f.html").read_text()
    refused = run_ops("-i", str(DEMO), "flows", "--csv", str(tmp_path / "none/f.csv"))
    assert refused.stdout == ""
    assert (refused.returncode, "cannot be written" in refused.stderr) == (1, True)
