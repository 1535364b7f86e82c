"""The judge is a function: no file, no clock, no memory; and nothing gets better by saying less."""

from __future__ import annotations

import builtins
import copy
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from material.judge_sites import DROPPED, Tree, changed, ght, hds, judged, one, put, vm
from unit.judge.test_judge import FAILS

from filae_ops.judge.case.register import load_register
from filae_ops.judge.case.tree import MISSING, find, first, generic


def test_the_same_input_gives_the_same_judgement():
    assert judged(hds()) == judged(hds())


def test_nothing_is_changed():
    tree = hds()
    before = copy.deepcopy(tree)
    judged(tree)
    assert tree == before


def test_no_file_is_opened(monkeypatch):
    load_register()

    def refuse(*args: object, **named: object) -> None:
        raise AssertionError(f"opened {args}")

    for place, name in ((builtins, "open"), (os, "open"), (Path, "open"), (Path, "read_text"), (os, "stat")):
        monkeypatch.setattr(place, name, refuse)
    found = judged(hds())
    monkeypatch.undo()
    assert found.immunity.result == "immune"


def test_nothing_declared_is_never_compliant():
    for tree in ({}, {"hosting": {"model": "hds_host"}}, {"hosting": {"model": "internal"}}, {"machines": []}):
        assert not [each.requirement.id for each in judged(tree).verdicts if each.status == "compliant"]


def test_null_is_a_declaration_and_absence_is_not():
    for value, wanted in ((None, "contrary"), (DROPPED, "missing")):
        tree = changed(vm(), backup__offsite=value, contracts__maintenance=value)
        found = {each.requirement.id: each for each in judged(tree).verdicts}
        assert found["BCK-03"].findings[0].outcome == wanted
        assert found["CTR-01"].findings[0].outcome == wanted
        assert found["BCK-03"].status == {"contrary": "gap", "missing": "to_document"}[wanted]


def fields(tree: Any, path: str = "") -> Iterator[str]:
    """Yield every field of a tree, `machines.0.os.version`."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        name = f"{path}.{key}" if path else str(key)
        if isinstance(tree, dict):
            yield name
        yield from fields(value, name)


def bad() -> Tree:
    """Return a site where much is wrong, so that a field that is dropped takes a fault with it."""
    link = {"name": "Sub", "country": "US", "hds_activities": ["hardware"], "certificate": None}
    copy_ = {"place": "Lyon", "interval_days": 30, "provider_id": "scaleway", "hds_activities": ["hardware"]}
    tree = changed(
        hds(), hosting__subhosts=[link], hosting__storage_countries=["US"], hosting__remote_access_countries=["US"],
        hosting__certificates__hds__to="2020-01-01", hosting__certificates__snc__version="3.1", backup__offsite=copy_,
        hosting__extra_eu__hq_country="US", hosting__extra_eu__non_eu_individual_pct=90, backup__kinds=["files"],
        hosting__derogation={"basis": "circulaire 6282-SG", "granted_on": "2021-09-01", "until": "2030-01-01"},
        access_governance__access_path_owner="provider", documents__acceptance=None, documents__aipd=None,
        contracts__maintenance__to="2020-01-01", contracts__hosting__clauses=[], continuity__rpo_minutes=1,
        continuity__rto_minutes=1, patching__delays__cvss_gt_8_9=90, patching__security_interval_days=31,
        logging__retention_days=9000, network__outbound_internet="none", admin__access_path="direct_ssh",
        establishment__kind="state_operator", flows__0__port=[5432], software__0__version="9.6",
    )  # fmt: skip
    ended = {"name": "ELTS", "contract": "a.pdf", "until": "2020-01-01"}
    tree["machines"][0]["os"] = {"id": "debian", "version": "11", "extended_support": ended}
    return tree


# Saying less of these says something else: which machine, which flow; `responsibilities` names departures only.
TELLING = {"hosting.model", "responsibilities", "flows", "machines", "site", "hosting"}
TELLING |= {"flows.0.direction", "flows.1.direction", "flows.0.proto", "flows.1.proto"}
# The first day of a certificate is not asked for: only one that lies ahead is refused.
NOT_NEEDED = {"hosting.certificates.hds.from"}
SITES = {"vm": vm, "hds": hds, "ght": ght, "bad": bad}


@pytest.mark.parametrize(("site", "problem"), [("vm", ""), ("hds", "absent"), ("bad", "")])
def test_no_field_that_is_dropped_makes_anything_compliant(site, problem):
    tree = SITES[site]()
    problems = dict.fromkeys((path for path in paths(tree)), problem)
    before = {each.requirement.id: each.status for each in judged(tree, problems=problems).verdicts}
    for field in fields(tree):
        if field in TELLING:
            continue
        less = copy.deepcopy(tree)
        put(less, field, DROPPED)
        for each in judged(less, problems=problems).verdicts:
            name = each.requirement.id
            assert each.status != "compliant" or before[name] == "compliant", f"{name} without {field}"


@pytest.mark.parametrize(("name", "site", "field", "value", "wanted"), FAILS)
def test_no_fault_is_healed_by_saying_less(name, site, field, value, wanted):
    tree = changed(site(), **{field.replace(".", "__"): value})
    near = {field.partition(".")[0], "hosting", "establishment"}
    for each in fields(tree):
        if each not in TELLING | NOT_NEEDED and each.partition(".")[0] in near:
            less = copy.deepcopy(tree)
            put(less, each, DROPPED)
            assert one(less, name) != "compliant", f"without {each}"


def paths(tree: Any) -> set[str]:
    from filae_ops.judge.case.evidence import declared_paths

    return set(declared_paths(tree))


@pytest.mark.parametrize("seed", range(12))
def test_no_handful_of_dropped_fields_makes_anything_compliant(seed):
    chance = random.Random(seed)
    tree = chance.choice(list(SITES.values()))()
    before = {each.requirement.id: each.status for each in judged(tree).verdicts}
    for _ in range(12):
        known = [field for field in fields(tree) if field not in TELLING]
        put(tree, chance.choice(known), DROPPED)
        after = {each.requirement.id: each.status for each in judged(tree).verdicts}
        better = [name for name, status in after.items() if status == "compliant" and before[name] != "compliant"]
        assert not better
        before = after


@pytest.mark.parametrize("seed", range(4))
def test_null_anywhere_is_judged(seed):
    chance = random.Random(seed)
    tree = list(SITES.values())[seed]()
    for field in chance.sample([each for each in fields(tree) if each not in TELLING], 60):
        less = copy.deepcopy(tree)
        put(less, field, None)
        assert judged(less).verdicts, field


def test_fields_by_name():
    tree = {"a": {"b": None}, "list": [{"name": "x", "c": 1}, {"c": 2}], "empty": [], "none": None}
    assert first(tree, "a.b") is None
    assert first(tree, "a.b.c") is None
    assert first(tree, "a.z") is MISSING
    assert first(tree, "z.z") is MISSING
    assert [(each.name, each.value) for each in find(tree, "list[].c")] == [("list[x].c", 1), ("list[1].c", 2)]
    assert [(each.name, each.value) for each in find(tree, "empty[].c")] == [("empty[].c", None)]
    assert [(each.name, each.value) for each in find(tree, "none[].c")] == [("none[].c", None)]
    assert [(each.name, each.value) for each in find(tree, "z[].c")] == [("z[].c", MISSING)]
    assert generic("machines[filae-1].os.version") == "machines[].os.version"
