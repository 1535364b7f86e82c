"""Machines for the scenarios: one bare, one provisioned and deployed, and quick copies of that one.

The workers of one run share one lab, so that the long journey is made once; a file of tests stays with one worker. The
lab belongs to this run alone: a run that dies leaves nothing in the way of the next.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The first process decides; its workers read it.
os.environ["FILAE_TEST_RUN"] = os.environ.get("FILAE_TEST_RUN", str(os.getpid()))
os.environ["FILAE_LAB"] = f"test-{os.environ['FILAE_TEST_RUN']}"

from apps import materialise
from sites import Site, say

from filae_ops.bundle.build import build
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.bridge import ensure_network
from filae_ops.lab.machine import Machine
from filae_ops.lab.machine_inventory import release_key, write_inventory
from filae_ops.lab.state import locked

RUN = int(os.environ["FILAE_TEST_RUN"])
MINIMAL: dict[str, dict[str, Any]] = {
    "1.0.0": {},
    "1.1.0": {
        "overrides": {"migrate": {"schema_version": "20260201000000"}, "setup": {"command": ["bin/setup"]}},
        # Long enough to be met in the middle; the lock comes last and is short.
        "files": {
            "db/20260201000000_widen.sql": "SELECT pg_sleep(0.4); ALTER TABLE records ADD COLUMN note text;",
            "bin/setup": "#!/bin/sh\nsleep 0.3\n",
        },
    },
}
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove this run's lab at its end, whatever happened."""
    if not hasattr(session.config, "workerinput") and lifecycle.lab_dir().exists():
        fleet.down(None)


@pytest.fixture(scope="session")
def lab() -> Path:
    """The directory of this run's lab; `shared` in it is for what the workers make once."""
    fleet.sweep()  # before it is named ours: a dead run may have had this process number
    ensure_network(lifecycle.lab_id(), owner=RUN)
    (lifecycle.lab_dir() / "shared").mkdir(exist_ok=True)
    return lifecycle.lab_dir()


@pytest.fixture(scope="session")
def bundles(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Signed bundles by version: the reference application's two, and the minimal application."""
    output, key = lab / "shared/bundles", release_key(lifecycle.lab_id())
    made = {}
    with locked(lab / "shared/bundles.lock"):
        for app, version in (("reference", "2.0.0"), ("reference", "2.1.0"), ("minimal", "1.0.0")):
            made[version] = output / version / f"{'filae' if app == 'reference' else app}-{version}.tar.zst"
            if not made[version].is_file():
                source = materialise(app, version, tmp_path_factory.mktemp("source"))
                assert build(source, made[version].parent, key).bundle == made[version]
    return made


@pytest.fixture(scope="session")
def minimal_bundles(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Signed bundles of the minimal application by version; from 1.1.0 on, a migration widens the schema."""
    made = {}
    with locked(lab / "shared/minimal-bundles.lock"):
        for version, changes in MINIMAL.items():
            made[version] = lab / f"shared/minimal/{version}/minimal-{version}.tar.zst"
            if not made[version].is_file():
                source = materialise("minimal", version, tmp_path_factory.mktemp("source"), **changes)
                build(source, made[version].parent, release_key(lifecycle.lab_id()))
    return made


@pytest.fixture(scope="session")
def bare(lab: Path) -> Site:
    """A bare Debian 13; tests leave it bare."""
    return Site(fleet.up(f"bare-{WORKER}", say=say))


@pytest.fixture(scope="session")
def template(lab: Path, bundles: dict[str, Path]) -> Machine:
    """A machine brought from bare to a running 2.0.0, then powered off in order; copies are made from this."""
    done = lab / "shared/journey.json"
    with locked(lab / "shared/journey.lock"):
        if not done.exists():
            site = Site(fleet.up("site", say=say))
            answers = journey(site, bundles)
            done.write_text(json.dumps({name: vars(each) for name, each in answers.items()}))
            lifecycle.stop(site.machine)
    return lifecycle.find("site")


@pytest.fixture(scope="session")
def minimal_template(lab: Path, template: Machine, minimal_bundles: dict[str, Path]) -> Machine:
    """A machine on which the minimal application's 1.0.0 runs, powered off; copies are made from this."""
    done = lab / "shared/minimal.done"
    with locked(lab / "shared/minimal.lock"):
        if not done.exists():
            site = Site(fleet.up("minimal", source=lifecycle.find("provisioned"), say=say))
            deployed = site.ops("deploy", str(minimal_bundles["1.0.0"]))
            assert deployed.returncode == 0, deployed.stderr
            lifecycle.stop(site.machine)
            done.touch()
    return lifecycle.find("minimal")


# Asked before the machine has ever booted with them.
STARTED = """
systemctl is-active logrotate.timer nginx chrony unattended-upgrades postgresql@17-main
ls -d /usr/sbin/policy-rc.d /run/filae-held 2>/dev/null
runuser -u postgres -- psql -Atc 'SHOW data_checksums'
"""


# apt's own job on a machine that has just booted: it has the package lists until somebody else has asked for them.
DAILY_JOB = """
import fcntl, os, pathlib, time
lists = pathlib.Path("/var/lib/apt/lists")
with open(lists / "lock", "w") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    while not (lists / "partial").exists():
        time.sleep(0.1)
    time.sleep(2)
    pathlib.Path("/run/apt-was-asked").write_text("asked")
"""


def journey(site: Site, bundles: dict[str, Path]) -> dict[str, subprocess.CompletedProcess[str]]:
    """Return what each step of a site's first day answered."""
    # First contact as root, as at a hospital; the account of the inventory afterwards.
    first = ["provision", "--bootstrap-user", "root", "--user", "lab", "--json"]
    steps = {
        "check": ["provision", "--check", "--json"], "first": first,
        "second": ["provision", "--json"], "deploy": ["deploy", str(bundles["2.0.0"]), "--json"],
    }  # fmt: skip
    answers = {}
    for name, words in steps.items():
        if name == "deploy":
            keep_provisioned(site.machine)
        if name == "first":
            site.run("systemd-run", "--quiet", "--collect", "python3", "-c", DAILY_JOB)
        answers[name] = site.ops(*words, timeout=600)
        assert answers[name].returncode == 0, f"{name}: {answers[name].stderr}"
        if name == "first":
            answers["waited"] = site.run("cat /run/apt-was-asked")
            answers["started"] = site.run(STARTED)
    return answers


def keep_provisioned(machine: Machine) -> None:
    """Copy a machine on which nothing was deployed yet, for another application."""
    lifecycle.stop(machine)
    write_inventory(lifecycle.create("provisioned", source=machine, say=say), machine)
    lifecycle.start(machine)


@pytest.fixture(scope="session")
def history(lab: Path, template: Machine) -> dict[str, subprocess.CompletedProcess[str]]:
    """What each step of the journey answered, for the tests that judge the journey itself."""
    kept = json.loads((lab / "shared/journey.json").read_text())
    return {name: subprocess.CompletedProcess(**each) for name, each in kept.items()}


@pytest.fixture(scope="session")
def deployed(template: Machine) -> Site:
    """A machine on which 2.0.0 runs and a provisioning has nothing to do; tests leave it as they found it."""
    site = Site(fleet.up(f"deployed-{WORKER}", source=template, say=say))
    provisioned = site.ops("provision")
    assert provisioned.returncode == 0, f"a copy has another address, its certificate follows: {provisioned.stderr}"
    return site


@pytest.fixture
def copy(template: Machine) -> Iterator[Site]:
    """A quick copy of the deployed machine, for tests that break it."""
    site = Site(fleet.up(f"copy-{os.urandom(3).hex()}", source=template, say=say))
    yield site
    lifecycle.remove(site.machine)
