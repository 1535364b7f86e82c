# ruff: noqa: E501 - tables: one case per row
"""What is written `a-renseigner`, or holds only comments: left out where it may be, refused elsewhere."""

from __future__ import annotations

import re

import pytest
from material.inventories import quick

from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import SECTIONS, Inventory
from filae_ops.inventory.reading.declared_tree import declared_tree
from filae_ops.inventory.reading.pending import APPLIED
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.paths import data_path

# case, what is written in a new file, what is declared of it
LEFT_OUT = [
    ("a value", "data: {health: true, judicial: a-renseigner}", {"data": {"health": True}}),
    ("a document", "documents: {aipd: {file: a-renseigner, date: a-renseigner}}", {}),
    ("a document's date", "documents: {aipd: {file: evidence/a.pdf, date: a-renseigner}}", {"documents": {"aipd": {"file": "evidence/a.pdf"}}}),
    ("a list", "software: [a-renseigner]", {}),
    ("a list of mappings", "documents: {acceptance: [{kind: a-renseigner, date: a-renseigner}]}", {}),
    ("a mapping of mappings", "responsibilities: {D-PRA: {dsi: a-renseigner}}", {}),
    ("a contact", "governance: {dpo: {name: a-renseigner, email: a-renseigner}}", {}),
    ("a section of comments", "governance:\n  # rssi:", {}),
    ("a group of comments", "establishment:\n  kind: eps\n  ght:\n    # article26_agreement:", {"establishment": {"kind": "eps"}}),
    ("none is declared", "documents: {aipd: null}", {"documents": {"aipd": None}}),
    ("an empty list", "software: []", {"software": []}),
    ("no", "admin: {mfa: false}", {"admin": {"mfa": False}}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "declared"), [row[1:] for row in LEFT_OUT], ids=[row[0] for row in LEFT_OUT])
def test_what_may_be_left_out_is(site, text, declared):
    before = declared_tree(quick(site))
    (site / "group_vars/all/more.yml").write_text(f"{text}\n")
    assert declared_tree(quick(site)) == before | declared


# case, file, text, its replacement, fields that are still to fill in
REFUSED = [
    ("required", "site.yml", "name: chv-demo", "name: a-renseigner", ["site.name"]),
    ("required group", "hosts.yml", 'id: debian\n          version: "13"', "id: a-renseigner\n          version: a-renseigner", ["hosts.filae-demo.machine.os.id", "hosts.filae-demo.machine.os.version"]),
    ("half a document", "tls.yml", "tls:", "documents: {aipd: {file: a-renseigner, date: 2026-01-01}}\ntls:", ["documents.aipd.file"]),
    ("half a list", "hosting.yml", "hosting:", "hosting:\n  storage_countries: [FR, a-renseigner]", ["hosting.storage_countries.1"]),
    ("half the letters", "tls.yml", "tls:", "responsibilities: {D-PRA: {dsi: RA, provider: a-renseigner}}\ntls:", ["responsibilities.D-PRA.provider"]),
    ("in a text", "site.yml", "name: Exploitation de la DSI", "name: DSI a-renseigner", ["site.contacts.dsi.name"]),
    ("applied", "flows.yml", "proxy: http://192.0.2.55:3128", "proxy: a-renseigner", ["network.proxy"]),
    ("applied, in a list", "app.yml", 'APP_LOCALE: "fr"', "APP_LOCALE: a-renseigner", ["app.settings.APP_LOCALE"]),
    ("applied, of a group that may be left out", "flows.yml", "outbound_internet: ", "reverse_proxy: {owner: dsi, addresses: [a-renseigner]}\n  outbound_internet: ", ["network.reverse_proxy.addresses.0"]),
    ("connection", "hosts.yml", "host_key:", "ansible_port: a-renseigner\n      host_key:", ["hosts.filae-demo.ansible_port"]),
    ("unknown", "hosts.yml", "host_key:", "ansible_timeout: a-renseigner\n      host_key:", ["hosts.filae-demo.ansible_timeout"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "fields"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_needed_is_refused_with_its_place(edit, site, name, old, new, fields):
    path = edit(name, old, new)
    with pytest.raises(OpsError) as caught:
        quick(site)
    found = [problem for problem in caught.value.problems if problem.what == "still to fill in"]
    assert [problem.field for problem in found] == fields
    assert all(problem.where.startswith(f"{path}:") and problem.next_step for problem in found)


def test_the_roles_read_no_field_that_may_be_left_out_in_words():
    """A role reads the file as it is: `a-renseigner` would be applied."""
    text = data_path("playbooks", "group_vars", "all.yml").read_text()
    for path in set(re.findall(r"\b[a-z_]+(?:\.[a-z_]+)+\b", text)):
        section, field, *_ = names = path.split(".")
        model = Inventory.model_fields[section].annotation if section in SECTIONS else None
        fields = getattr(model, "model_fields", {})
        if field in fields and not fields[field].is_required():
            assert {".".join(names[:depth]) for depth in range(1, len(names) + 1)} & {*APPLIED}, path


def test_the_word_is_the_documented_one():
    assert TO_FILL in data_path("inventories", "README.md").read_text()
