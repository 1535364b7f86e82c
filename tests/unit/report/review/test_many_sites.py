"""Several sites are reviewed in several processes, and say what each would say alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
from examples import AS_OF

from filae_ops.errors import OpsError
from filae_ops.inventory.reading import ansible_pool_server
from filae_ops.inventory.reading.ansible_pool import ManyValues
from filae_ops.inventory.reading.ansible_values import ansible_values
from filae_ops.paths import data_path
from filae_ops.report.review.many_sites import reviews
from filae_ops.report.review.one_site import review_at

HOSPITAL, HOST, COUNTER = (data_path("inventories", name) for name in ("hospital-vm", "hds-host", "counter-example"))


def test_the_values_are_those_of_ansible_inventory_itself():
    with ManyValues() as reader:
        for path in (HOSPITAL, COUNTER, HOSPITAL, HOST):
            assert reader(path / "hosts.yml") == ansible_values(path / "hosts.yml")


def test_each_review_is_the_one_that_the_site_has_alone():
    together = reviews([HOSPITAL, COUNTER, HOST], AS_OF, "fr")
    alone = [review_at(path, AS_OF, "fr") for path in (HOSPITAL, COUNTER, HOST)]
    assert [json.dumps(each.document()) for each in together] == [json.dumps(each.document()) for each in alone]
    for one, other in zip(together, alone, strict=True):
        assert [each.requirement.id for each in one.judgement.stopped_by("warn")] == [
            each.requirement.id for each in other.judgement.stopped_by("warn")
        ]


def test_what_ansible_does_not_read_is_refused_and_the_next_is_read(tmp_path):
    wrong = tmp_path / "hosts.yml"
    wrong.write_text("filae: [")
    with ManyValues() as reader:
        with pytest.raises(OpsError, match="Ansible does not read"):
            reader(wrong)
        assert list(reader(HOSPITAL / "hosts.yml")) == ["filae-prod"]


def test_a_site_that_is_refused_says_why_as_it_does_alone(tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(HOSPITAL, broken)
    with (broken / "group_vars/all/site.yml").open("a") as file:
        file.write("unknown: 1\n")
    with pytest.raises(OpsError) as alone:
        review_at(broken, AS_OF, "fr")
    with pytest.raises(OpsError) as together:
        reviews([HOSPITAL, broken, HOST], AS_OF, "fr")
    assert str(together.value) == str(alone.value)
    assert together.value.exit_code == alone.value.exit_code


def test_no_process_is_left():
    reviews([HOSPITAL, HOST], AS_OF, "fr")
    assert _servers() == []


def test_a_reader_s_process_ends_with_it():
    with ManyValues() as reader:
        assert _servers() == [reader._server.pid]
    assert _servers() == []


def test_a_server_that_is_gone_is_said():
    reader = ManyValues()
    os.kill(reader._server.pid, signal.SIGKILL)
    with pytest.raises(OpsError, match="could not be started"):
        reader(HOSPITAL / "hosts.yml")
    reader._server.wait()


def _servers() -> list[int]:
    return [each for each in _children(os.getpid()) if ansible_pool_server.__name__ in _words(each)]


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    found = [int(each) for each in text.split()]
    return found + [below for each in found for below in _children(each)]


def _words(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""
