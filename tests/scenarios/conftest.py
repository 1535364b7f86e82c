"""Machines for the scenarios: one bare, one provisioned and deployed, and quick copies of that one.

All belong to a lab of this run alone: a run that dies leaves nothing in the way of the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["FILAE_LAB"] = f"test-{os.getpid()}"

from apps import materialise
from sites import Site, say

from filae_ops.bundle.build import build
from filae_ops.lab import fleet
from filae_ops.lab import machine as machines
from filae_ops.lab.inventory import release_key
from filae_ops.lab.machine import Machine


@pytest.fixture(scope="session", autouse=True)
def lab() -> Iterator[None]:
    """Remove this run's lab at its end, whatever happened."""
    yield
    fleet.down(None)


@pytest.fixture(scope="session")
def bundles(lab: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Signed bundles by version: the reference application's two, and the minimal application."""
    machines.lab_dir().mkdir(parents=True, exist_ok=True)
    output, key, made = tmp_path_factory.mktemp("bundles"), release_key(machines.lab_id()), {}
    for app, version in (("reference", "2.0.0"), ("reference", "2.1.0"), ("minimal", "1.0.0")):
        source = materialise(app, version, tmp_path_factory.mktemp("source"))
        made[version] = build(source, output, key).bundle
    return made


@pytest.fixture(scope="session")
def bare(lab: None) -> Site:
    """A bare Debian 13; tests leave it bare."""
    return Site(fleet.up("bare", owner=os.getpid(), say=say))


@pytest.fixture(scope="session")
def deployed(lab: None, bundles: dict[str, Path]) -> Site:
    """A machine brought from bare to a running 2.0.0; tests leave it as they found it.

    `history` keeps what each step answered, for the tests that judge the journey itself.
    """
    site = Site(fleet.up("site", owner=os.getpid(), say=say))
    site.history["check"] = site.ops("provision", "--check", "--json")
    # First contact as root, as at a hospital; the account of the inventory afterwards.
    site.history["first"] = site.ops("provision", "--bootstrap-user", "root", "--user", "lab", "--json", timeout=600)
    site.history["second"] = site.ops("provision", "--json")
    site.history["deploy"] = site.ops("deploy", str(bundles["2.0.0"]), "--json")
    for name in ("first", "second", "deploy"):
        assert site.history[name].returncode == 0, f"{name}: {site.history[name].stderr}"
    return site


@pytest.fixture(scope="session")
def template(deployed: Site) -> Machine:
    """The deployed machine, powered off in order and copied; copies are made from this."""
    machines.stop(deployed.machine)
    copy = machines.create("template", source=deployed.machine, owner=os.getpid(), say=say)
    fleet.write_inventory(copy, deployed.machine)
    machines.start(deployed.machine)
    return copy


@pytest.fixture
def copy(template: Machine) -> Iterator[Site]:
    """A quick copy of the deployed machine, for tests that break it."""
    site = Site(fleet.up(f"copy-{os.urandom(3).hex()}", source=template, owner=os.getpid(), say=say))
    yield site
    machines.remove(site.machine)
