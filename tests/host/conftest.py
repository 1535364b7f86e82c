"""Gives each check its machine, and writes down each verdict; `filae-ops verify` runs this."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import testinfra  # noqa: F401  # loaded while the machine answers

from filae_ops.report.document.check_words import BROKE, HOLDS
from filae_ops.verification.check import Broken, NoObject, NotRun, Target, read_targets

DIRECTORY = os.environ.get("FILAE_VERIFY", "")
VERDICTS: list[dict[str, Any]] = []
FLOWS: dict[str, Callable[[Target], Iterator[Any]]] = {
    "inbound": lambda on: (flow for flow in on.inventory.inbound() if flow.proto == "tcp"),
    "outbound": lambda on: (flow for flow in on.inventory.outbound() if flow.proto == "tcp"),
}


def pytest_configure(config: pytest.Config) -> None:
    if not DIRECTORY and not config.option.collectonly:
        pytest.exit("these checks need a machine's facts: filae-ops -i INVENTORY verify", returncode=2)
    config.stash[TARGETS] = waited_for(Path(DIRECTORY)) if DIRECTORY else []


def waited_for(directory: Path) -> list[Target]:
    """Return the machines to judge once `verify` has asked them; without `verify`, there is nobody to wait for."""
    parent = os.getppid()
    while not (directory / "context.json").exists():
        if os.getppid() != parent:
            pytest.exit("verify ended before its facts came", returncode=2)
        time.sleep(0.02)
    return read_targets(directory)


TARGETS = pytest.StashKey[list[Target]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    targets = metafunc.config.stash[TARGETS]
    kind = next((name for name in FLOWS if name in metafunc.fixturenames), None)
    if kind:
        rows = [pytest.param(on, flow, id=f"{on.name}-{flow.id}") for on in targets for flow in FLOWS[kind](on)]
        metafunc.parametrize(("on", kind), rows)
    elif "on" in metafunc.fixturenames:
        metafunc.parametrize("on", targets, ids=[on.name for on in targets])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    report = yield
    marker = item.get_closest_marker("check")
    if marker is not None and (call.when == "call" or (call.when == "setup" and call.excinfo)):
        VERDICTS.append(_verdict(item, marker.kwargs, call))
    return report


def _verdict(item: Any, check: dict[str, Any], call: pytest.CallInfo[None]) -> dict[str, Any]:
    values = item.callspec.params
    flow = next((values[kind] for kind in FLOWS if kind in values), None)
    verdict = {
        "id": f"{check['id']}-{flow.id}" if flow else check["id"],
        "requirement": check["requirement"],
        "host": values["on"].name,
        "against": list(check["against"]),
    }
    return verdict | _outcome(call.excinfo.value if call.excinfo else None)


def _outcome(error: BaseException | None) -> dict[str, Any]:
    """Return what came of a check; one that breaks, an assertion too, says nothing of the machine."""
    if error is None:
        return {"status": "pass", "code": HOLDS, "values": {}}
    if isinstance(error, Broken):
        return {"status": "fail", "code": error.code, "values": error.values}
    if isinstance(error, NotRun):
        no_object = isinstance(error, NoObject)
        return {"status": "not_run", "code": error.code, "values": error.values, "no_object": no_object}
    return {"status": "not_run", "code": BROKE, "values": {"error": f"{type(error).__name__}: {error}"}}


def pytest_sessionfinish() -> None:
    if DIRECTORY:
        (Path(DIRECTORY) / "verdicts.json").write_text(json.dumps(VERDICTS))
