"""The power cut in each step of a deploy, and a reboot: the machine comes back with one version, whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from interruptions import LATER, NARROW, Subject
from load import Minimal
from sites import Site, say

from filae_ops.agent.steps import catalogue
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

REBOOTED = ("migrate", "switch", "soak")


@pytest.fixture(scope="module")
def subject(minimal_template: Machine, minimal_bundles: dict[str, Path]) -> Iterator[Subject]:
    """One machine for all cases: each begins on what the one before left."""
    site = Site(fleet.up("cut", source=minimal_template, say=say))
    yield Subject(site, Minimal(), minimal_bundles, before_deploy=NARROW)
    lifecycle.remove(site.machine)


@pytest.mark.parametrize("step", catalogue.names("deploy", "two"))
def test_a_power_cut_loses_nothing_that_was_acknowledged(subject: Subject, step: str) -> None:
    subject.cut("deploy", step, "cut")


@pytest.mark.parametrize("step", REBOOTED)
def test_a_reboot_loses_nothing_that_was_acknowledged(subject: Subject, step: str) -> None:
    subject.cut("deploy", step, "reboot", LATER)
