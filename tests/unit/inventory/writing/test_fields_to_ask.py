"""What a draft asks for: the fields that the hosting model needs, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from material.inventories import UNTIL, filled, quick

from filae_ops import strict_yaml
from filae_ops.inventory.reading.declared_tree import declared_tree
from filae_ops.inventory.types.choices import TO_FILL
from filae_ops.inventory.writing.answers import Answers
from filae_ops.inventory.writing.field_tree import asking, machine, sections, walk
from filae_ops.inventory.writing.scaffold import render, write
from filae_ops.vocabulary import HostingModel

MODELS_KNOWN = get_args(HostingModel)


def asked(model: str) -> dict[str, str]:
    """Return each optional field that a draft asks for, with the comment above it."""
    found = {}
    for path, text in render(Answers(name="essai", hosting=model)).items():
        if path.name == "secrets.yml":
            continue
        values, locate = strict_yaml.load(text)
        lines = text.splitlines()
        for node in walk([*sections(), *machine()]):
            keys = node.path.replace("machines[]", "filae.hosts.filae.machine").split(".")
            if "[]" not in node.path.removeprefix("machines[]") and at(values, keys):
                found[node.path] = lines[locate(keys)[0] - 2]
    return found


def at(values, keys):
    for key in keys:
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


@pytest.mark.parametrize("model", MODELS_KNOWN)
def test_each_field_that_the_model_needs_says_why_it_is_asked(model):
    found = asked(model)
    for node in walk([*sections(), *machine()]):
        needed = asking(node.path, model, exact=True)
        if not needed or "[]" in node.path.removeprefix("machines[]") or node.path in UNSAID:
            continue
        assert node.path in found, f"{node.path} is read by {needed}"
        comment = found[node.path].strip()
        assert comment.startswith("# "), node.path
        shown = [name for name in needed if name in comment]
        assert shown == list(needed) or f"et {len(asking(node.path, model)) - len(shown)} autres" in comment, comment


UNSAID = {
    "hosting.model",  # the model decides what all the rest asks
    "tls.certificate",  # its comment stands above the three files
    "machines[].os.id", "machines[].os.version",  # `os` says it
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS_KNOWN)
def test_no_field_that_the_model_does_not_need(model):
    found = set(asked(model))
    for path in ("hosting.certificates.hds", "hosting.subhosts", "hosting.host_id", "incidents.contacts.host"):
        assert (path in found) is (model in ("hds_host", "third_party")), path
    assert ("establishment.ght" in found) is (model == "ght")
    assert not any(path.startswith(("hosting.derogation", "machines[].os.extended_support")) for path in found)


@pytest.mark.parametrize("model", MODELS_KNOWN)
def test_what_is_left_in_a_draft_is_left_out(tmp_path, model):
    """Once what is needed is filled in, the review can be had: nothing else has to be touched."""
    write(tmp_path / "site", replace(filled(model), host_id=TO_FILL, service_id=TO_FILL, region=TO_FILL))
    tree = declared_tree(quick(tmp_path / "site"))
    assert TO_FILL not in str(tree)
    assert tree["data"] == {"health": True, "judicial": True}
    assert "documents" not in tree


def test_answers_may_say_more(tmp_path):
    declared = {
        "documents.aipd.file": "evidence/aipd.pdf",
        "documents.aipd.date": UNTIL,
        "governance.dpo": None,
        "software": [{"name": "ruby", "version": "3.3"}],
        "backup.offsite.place": "Autre site : Beaumont",
        "machines[].hardening": "intermediary",
    }
    write(tmp_path / "site", replace(filled(), ask=False, declared=declared))
    tree = declared_tree(quick(tmp_path / "site"))
    assert tree["documents"] == {"aipd": {"file": "evidence/aipd.pdf", "date": "2027-06-30"}}
    assert (tree["governance"], tree["software"]) == ({"dpo": None}, [{"name": "ruby", "version": "3.3"}])
    assert tree["backup"]["offsite"] == {"place": "Autre site : Beaumont"}
    assert tree["machines"][0]["hardening"] == "intermediary"
    assert "continuity" not in tree
