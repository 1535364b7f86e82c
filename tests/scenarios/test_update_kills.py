"""A transaction killed in each of its steps: it ends by itself, nothing is lost, and the next one works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest
from interruptions import LATER, NARROW, Subject
from load import Minimal
from sites import Site, say

from filae_ops.agent.steps import catalogue
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

# These take long enough to be killed in the middle as well.
LONG = {"stage", "migrate", "setup", "start", "switch", "replace"}


def cases(mode: str) -> Iterator[tuple[str, str, str]]:
    """Return each kind's steps, what is undone first; then up and down in turn, so that little is done in between."""
    before, after = {}, {}
    for kind in ("deploy", "rollback", "refresh"):
        names = catalogue.names(kind, mode)
        # With one colour, only what two colours have not or do otherwise.
        first = 0 if mode == "two" else names.index("replace")
        pivot = names.index(catalogue.PIVOT) + 1
        before[kind], after[kind] = (
            [(kind, mode, name) for name in some] for some in (names[first:pivot], names[pivot:])
        )
    yield from before["deploy"]
    yield after["deploy"].pop(0)
    yield from before["rollback"]
    for pair in zip_longest(after["rollback"], after["deploy"]):
        yield from filter(None, pair)
    yield from before["refresh"] + after["refresh"]


CASES = [*cases("two"), *cases("one")]


@pytest.fixture(scope="module")
def subject(minimal_template: Machine, minimal_bundles: dict[str, Path]) -> Iterator[Subject]:
    """One machine for all cases: each begins on what the one before left."""
    site = Site(fleet.up("killed", source=minimal_template, say=say))
    yield Subject(site, Minimal(), minimal_bundles, before_deploy=NARROW)
    lifecycle.remove(site.machine)


@pytest.mark.parametrize(("kind", "mode", "step"), CASES)
def test_a_kill_loses_nothing(subject: Subject, kind: str, mode: str, step: str) -> None:
    subject.kill(kind, mode, step)
    if step in LONG and kind == "deploy":
        subject.kill(kind, mode, step, LATER)


def test_each_step_is_killed_and_each_long_one_exists() -> None:
    every = {(kind, name) for kind, mode in catalogue.KINDS for name in catalogue.names(kind, mode)}
    assert {(kind, name) for kind, _, name in CASES} == every
    assert {name for _, name in every} >= LONG


# As the application's user, where a release keeps its scratch: what root prepares there the next time leads elsewhere.
TAKEN_OVER = """
install -d -m 0700 /run/roots
cd /var/cache/filae/{version}
runuser -u filae -- sh -c 'rm -rf tmp && ln -s /run/roots tmp && ln -s /run/roots/lock Gemfile.lock'
"""
LED = "stat -c '%U:%G %a' /run/roots; ls -A /run/roots; stat -c '%F %U:%G %a' /var/cache/filae/{version}/tmp"


def test_links_of_an_application_that_was_taken_over_lead_root_nowhere(subject: Subject) -> None:
    """They are there when the same version is deployed again, and when it is refreshed."""
    subject.prepare("rollback", "two")
    subject.run(TAKEN_OVER.format(version=subject.high))
    subject.prepare("deploy", "two")
    subject.prepare("rollback", "two")
    assert subject.run(LED.format(version=subject.high)) == "root:root 700\ndirectory filae:filae 750\n"
    subject.run(TAKEN_OVER.format(version=subject.high))
    subject.prepare("refresh", "two")
    subject.assert_whole(json.loads(subject.striker("done", *subject.command("refresh"))))
    assert subject.run(LED.format(version=subject.high)) == "root:root 700\nsymbolic link filae:filae 777\n"
