"""The how-tos on updates are executed as they are written, one after the other, at two sites."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import materialise
from sites import Site, say
from test_tutorial import ROOT, commands

from filae_ops.bundle.build import build
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine
from filae_ops.lab.machine_inventory import release_key

DOES_NOT_START = {"config/puma.rb": 'raise "this release does not start"\n'}


@pytest.fixture(scope="module")
def sites(template: Machine) -> Iterator[list[Site]]:
    """Two copies of the deployed machine, on which 2.0.0 serves."""
    made = [Site(fleet.up(name, source=template, say=say)) for name in ("north", "south")]
    for site in made:
        provisioned = site.ops("provision")
        assert provisioned.returncode == 0, f"a copy has another address, its certificate follows: {provisioned.stderr}"
    yield made
    for site in made:
        lifecycle.remove(site.machine)


@pytest.fixture(scope="module")
def material(sites: list[Site], bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the pages name: inventories, releases, the ward's text."""
    made = tmp_path_factory.mktemp("how-to")
    source = materialise("reference", "2.2.0", tmp_path_factory.mktemp("bad"), files=DOES_NOT_START)
    (made / "page.txt").write_text("Utilisez la procédure papier, armoire 3, poste 1234.\n")
    return {
        "FILAE_INVENTORY": str(sites[0].inventory),
        "SECOND": str(sites[1].inventory),
        "BUNDLE": str(bundles["2.1.0"]),
        "BAD": str(build(source, made, release_key(lifecycle.lab_id())).bundle),
        "PAGE": str(made / "page.txt"),
    }


def follow(document: str, material: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Execute a page, and return what it printed."""
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", commands(document)],
        cwd=ROOT, env={**os.environ, **material, "PATH": tools}, capture_output=True, text=True, timeout=600,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-4000:]
    assert "Traceback" not in done.stderr
    assert max(map(len, done.stdout.splitlines())) < 400
    return done


def status(site: Site) -> dict[str, object]:
    found: dict[str, object] = json.loads(site.ops("status", "--json").stdout)
    return found


def test_update_a_site(sites: list[Site], material: dict[str, str]) -> None:
    done = follow("how-to/update-a-site.md", material)
    for said in ("would deploy: 2.0.0 -> 2.1.0", "expand, schema 20260901120000 -> 20261102090000",
                 "possible to 2.0.0", "Un dossier peut être signalé comme urgent", "ON since"):  # fmt: skip
        assert said in done.stdout
    north, south = (f"{site.inventory.parent.resolve()}/site" for site in sites)
    assert f"{north}: 2.1.0 is live and healthy: nothing to do" in done.stderr
    assert f"{south}: committed (" in done.stderr
    for site in sites:
        found = status(site)
        assert (found["version"], found["healthy"], found["maintenance"]) == ("2.1.0", True, None)
        assert found["deployed_by"] == "lab"


def test_when_an_update_goes_wrong(sites: list[Site], material: dict[str, str]) -> None:
    done = follow("how-to/when-an-update-goes-wrong.md", material)
    for said in ("exit status 1", "would roll back: 2.1.0 -> 2.0.0", "what goes away again", "FAILED"):
        assert said in done.stdout
    assert "step start failed" in done.stderr
    assert "undone: what served before serves" in done.stderr
    assert "may hold patients' data" in done.stderr
    assert (status(sites[0])["version"], status(sites[0])["healthy"]) == ("2.1.0", True)


def test_following_logs_leaves_nothing_on_the_machine(sites: list[Site]) -> None:
    reading = "pgrep -x journalctl"
    argv = [sys.executable, "-m", "filae_ops", "-i", str(sites[0].inventory), "logs", "--follow", "-n", "1", "--json"]
    for number in (2, 9):  # Ctrl-C, and a controller that dies
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["unit"]
            assert sites[0].run(reading).returncode == 0
            process.send_signal(number)
        assert process.returncode in (130, -number)
        gone = sites[0].run(f"while {reading}; do sleep 0.1; done")
        assert gone.returncode == 0
