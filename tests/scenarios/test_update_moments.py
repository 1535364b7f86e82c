"""Moments of an update: a lock that is released in time, others at work, a controller that dies; it goes on."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from load import Load, Minimal, Place
from minimal_site import FIRST_SCHEMA, QUICK, Deploy, ask, held, look, place_of, release, set_agent
from sites import Site, say
from waiting import until

from filae_ops.agent.steps import catalogue
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

# It gives up after 3 s by itself, as every migration does on this machine.
MIGRATIONS = {FIRST_SCHEMA + 1: "ALTER TABLE records ADD COLUMN bed text"}


@pytest.fixture(scope="module")
def site(minimal_template: Machine) -> Iterator[Site]:
    """A copy of the machine with the minimal application, for all of this file's tests, in order."""
    made = Site(fleet.up("moments", source=minimal_template, say=say))
    set_agent(made, timings=QUICK)
    yield made
    lifecycle.remove(made.machine)


@pytest.fixture(scope="module")
def place(site: Site) -> Place:
    return place_of(site)


def test_a_migration_goes_on_when_the_lock_is_released_in_time(site: Site, place: Place, tmp_path: Path) -> None:
    bundle = release("1.1.0", tmp_path, MIGRATIONS)
    with Load(place, Minimal(), rate=20) as load, held(site), Deploy(site, bundle) as run:
        run.wait_for("met a lock, tries again in 0 s, 1 of 5 times; it may be held by pid ")
        ask(site, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'report'")
        done = run.end()
    assert done.returncode == 0, done.stderr
    assert re.search(rf"schema_version: {max(MIGRATIONS)}, kind: expand, retries: [1-5]\b", done.stderr)
    assert load.outcome.failed == [], load.outcome
    assert load.missing() == []


def test_of_two_deploys_at_once_one_is_refused_and_so_is_a_provisioning_in_the_middle(
    site: Site, place: Place, tmp_path: Path
) -> None:
    one, other = (release(f"1.2.{number}", tmp_path, MIGRATIONS) for number in (0, 1))
    set_agent(site, timings={"soak": 25})
    with Load(place, Minimal(), rate=20) as load, Deploy(site, one) as first, Deploy(site, other) as second:
        until(lambda: "transaction" in first.told() + second.told(), told=lambda: first.told() + second.told())
        provisioned = site.ops("provision")
        ends = {"1.2.0": first.end(), "1.2.1": second.end()}
    set_agent(site, timings=QUICK)
    winner, loser = sorted(ends, key=lambda version: ends[version].returncode)
    assert ends[winner].returncode == 0, ends[winner].stderr
    for refused in (ends[loser], provisioned):
        assert refused.returncode == 1
        assert re.search(f"being changed by: filaectl deploy {winner} by lab|has not ended", refused.stderr)
    assert (look(site).version, load.outcome.last) == (winner, winner)
    assert load.outcome.failed == [], load.outcome
    assert site.run("ls /var/lib/filae-ops/incoming").stdout == "", "nor does the loser's bundle stay"


# The controller is killed when it was told that the transaction begins, and that each step has ended; after the last
# two it may have ended by itself meanwhile.
TOLD = ("begin", *catalogue.names("deploy", "two"))
LAST = TOLD[-2:]


@pytest.mark.parametrize("told", TOLD)
def test_a_deploy_goes_on_without_its_controller(told: str, site: Site, place: Place, tmp_path: Path) -> None:
    version = f"1.3.{TOLD.index(told)}"
    bundle = release(version, tmp_path, MIGRATIONS)
    said = re.compile("transaction " if told == "begin" else rf"\b{told} +(done|not needed)\b")
    with Load(place, Minimal(), rate=20) as load, Deploy(site, bundle) as run:
        run.until(lambda: said.search(run.told()) is not None)
        status = run.end(signal.SIGKILL).returncode
        assert status == -signal.SIGKILL or (told in LAST and status == 0)
        until(lambda: look(site).events[-1]["event"] in ("committed", "rolled-back", "gave-up"), told=run.told)
    after = look(site)
    events = [event["event"] for event in after.events]
    assert events[-1] == "committed"
    assert not {"recover", "failed"} & set(events)
    assert (after.version, load.outcome.last) == (version, version)
    assert load.outcome.failed == [], load.outcome
