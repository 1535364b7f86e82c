"""The files that an inventory refers to: present, not empty, inside it; and what a verdict makes of the others."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from typing import get_args, get_type_hints

import pytest
from material.judge_sites import changed, hds, judged, status, verdict, vm

from filae_ops.errors import OpsError
from filae_ops.judge.case.evidence import BLOCK, LARGEST, certificate_ends, declared_paths, read_evidence
from filae_ops.judge.case.register import load_register
from filae_ops.judge.case.verdict import EvidenceFile
from filae_ops.judge.judge import judge
from filae_ops.judge.words import reason
from filae_ops.report.document.rendering import words


def tree(path):
    return {"documents": {"aipd": {"file": path}}}


def read(directory, path):
    return read_evidence(directory, tree(path))[path]


def test_every_path_of_the_tree_is_found():
    found = list(declared_paths(hds()))
    assert {
        "evidence/hds.pdf", "evidence/iso.pdf", "evidence/snc.pdf", "evidence/hebergement.pdf", "evidence/va.pdf",
        "evidence/restauration.pdf", "evidence/scap.html", "evidence/audit.pdf", "tls/server.pem", "evidence/aipd.pdf",
    } <= set(found)  # fmt: skip


@pytest.mark.parametrize("size", [1, BLOCK, 3 * BLOCK + 1])
def test_a_file_that_is_there(tmp_path, size):
    (tmp_path / "a.pdf").write_bytes(b"x" * size)
    found = read(tmp_path, "a.pdf")
    assert (found.problem, found.size, found.sha256) == ("", size, hashlib.sha256(b"x" * size).hexdigest())


def test_a_link_inside_the_inventory_is_followed(tmp_path):
    (tmp_path / "real.pdf").write_text("x")
    (tmp_path / "a.pdf").symlink_to("real.pdf")
    assert read(tmp_path, "a.pdf").problem == ""


@pytest.mark.parametrize("kind", ["absent", "empty", "directory", "pipe", "loop", "broken link"])
def test_what_is_no_evidence(tmp_path, kind):
    place = tmp_path / "a.pdf"
    makers = {
        "absent": lambda: None,
        "empty": place.touch,
        "directory": place.mkdir,
        "pipe": lambda: os.mkfifo(place),
        "loop": lambda: place.symlink_to("a.pdf"),
        "broken link": lambda: place.symlink_to("nothing.pdf"),
    }
    makers[kind]()
    wanted = {"empty": "empty", "directory": "not_a_file", "pipe": "not_a_file"}.get(kind, "absent")
    found = read(tmp_path, "a.pdf")
    assert (found.problem, found.sha256, found.size) == (wanted, "", 0)


@pytest.mark.parametrize("path", ["hosts.yml", "group_vars/all/site.yml", "link.pdf"])
def test_the_inventory_is_no_evidence_of_itself(tmp_path, path):
    (tmp_path / "group_vars/all").mkdir(parents=True)
    for name in ("hosts.yml", "group_vars/all/site.yml"):
        (tmp_path / name).write_text("x: 1\n")
    (tmp_path / "link.pdf").symlink_to("hosts.yml")
    assert read(tmp_path, path).problem == "inventory"


def test_a_blank_file_is_empty_and_one_without_end_is_not_read(tmp_path):
    (tmp_path / "blank.md").write_text(" \n\t\n")
    assert read(tmp_path, "blank.md").problem == "empty"
    with (tmp_path / "large.pdf").open("w") as file:
        file.truncate(LARGEST + 1)
    assert read(tmp_path, "large.pdf").problem == "too_large"


@pytest.mark.parametrize("problem", get_args(get_type_hints(EvidenceFile)["problem"])[1:])
def test_every_problem_of_a_file_has_its_words(problem):
    path = vm()["documents"]["aipd"]["file"]
    found = verdict(vm(), "RGPD-03", problems={path: problem})
    assert found.status in ("gap", "non_compliant")
    for lang in ("fr", "en"):
        assert path in reason(found, lang)
        assert words("review", lang)["annex"][problem]


@pytest.mark.parametrize("path", ["../secret.pdf", "link.pdf", "directory/secret.pdf", "/etc/hostname"])
def test_nothing_outside_of_the_inventory_is_read(tmp_path, path):
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    (tmp_path / "secret.pdf").write_text("x")
    (inventory / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (inventory / "directory").symlink_to(tmp_path)
    found = read(inventory, path)
    assert (found.problem, found.sha256) == ("outside", "")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "a.pdf").write_text("x")

    def refuse(*args, **named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OpsError, match=r"a\.pdf: not readable: Permission denied"):
        read(tmp_path, "a.pdf")


def test_a_null_character_is_no_file(tmp_path):
    assert read(tmp_path, "a\0.pdf").problem == "absent"


PROBLEMS = ["absent", "empty", "outside", "not_a_file"]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(
    ("name", "path", "wanted"),
    [
        ("HDS-01", "evidence/hds.pdf", "non_compliant"),
        ("EXT-01", "evidence/snc.pdf", "non_compliant"),
        ("HDS-20", "evidence/hebergement.pdf", "non_compliant"),
        ("BCK-02", "evidence/restauration.pdf", "non_compliant"),
        ("INC-01", "evidence/cert.pdf", "non_compliant"),
        ("RGPD-01", "evidence/art28.pdf", "non_compliant"),
        ("RGPD-03", "evidence/aipd.pdf", "gap"),
        ("CTR-01", "evidence/maintenance.pdf", "gap"),
        ("HDS-08", "evidence/iso.pdf", "gap"),
        ("TLS-04", "tls/server.pem", "gap"),
        ("CTR-08", "evidence/va.pdf", "gap"),
    ],
)
def test_a_declared_document_that_is_not_there_is_contrary(name, path, wanted, problem):
    found = verdict(hds(), name, problems={path: problem})
    assert found.status == wanted
    assert (path, f"file.{problem}") in [(each.value, each.code) for each in found.findings]


def test_a_file_that_nobody_read_is_not_a_pass():
    found = judge(vm(), load_register(), dt.date(2026, 11, 21), evidence={}, certificates={})
    assert next(each for each in found.verdicts if each.requirement.id == "INC-01").status == "to_confirm"


def test_a_certificate_of_a_link_is_a_file():
    link = {"name": "Salle", "hds_activities": ["physical_site"], "certificate": "evidence/salle.pdf"}
    site = changed(hds(), hosting__subhosts=[link])
    assert status(site, "HDS-16") == "compliant"
    assert status(site, "HDS-16", problems={"evidence/salle.pdf": "empty"}) == "non_compliant"


@pytest.mark.parametrize(
    ("until", "wanted"), [("2026-12-12", "compliant"), ("2026-12-11", "gap"), ("2026-11-20", "gap"), (None, "gap")]
)
def test_the_certificate_that_users_see(until, wanted):
    ends = {"tls/server.pem": dt.date.fromisoformat(until)} if until else {}
    assert status(vm(), "TLS-04", certificates=ends) == wanted


def test_ends_of_certificates(tmp_path):
    (tmp_path / "server.pem").write_text("not a certificate")
    declared = {"tls": {"certificate": "server.pem"}}
    assert certificate_ends(tmp_path, declared, read_evidence(tmp_path, declared)) == {}
    assert certificate_ends(tmp_path, {}, {}) == {}
    assert judged(vm()).evidence["tls/server.pem"].problem == ""
