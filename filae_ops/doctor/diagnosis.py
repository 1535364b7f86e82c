"""Go or no-go before anything is touched: the controller, the inventory's dates, then each machine."""

from __future__ import annotations

import datetime as dt
import platform
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from filae_ops.deadlines.ends import Line, certificate, keys, supported, system_support
from filae_ops.doctor.declaration import as_rows, declaration
from filae_ops.doctor.declaration import lines as addition_lines
from filae_ops.errors import OpsError
from filae_ops.inventory.model.additions import Addition
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.remote.ssh import Login, explain, ssh_argv, ssh_config
from filae_ops.verification import gather
from filae_ops.verification.accounted import PARTS, strangers
from filae_ops.verification.accounted_files import Leftover, with_agent
from filae_ops.verification.placed_by_roles import Placement, Placements, placed_by_roles

SSH_SECONDS = 25


@dataclass(frozen=True)
class Diagnosis:
    """Every line of a run."""

    lines: tuple[Line, ...]
    additions: Mapping[str, tuple[Addition, ...]] = field(default_factory=dict)
    """What to declare of each machine, by its name."""

    @property
    def ok(self) -> bool:
        """Whether nothing forbids to go on."""
        return all(line.status != "no-go" for line in self.lines)

    def document(self) -> dict[str, Any]:
        """Return the document of `doctor --json`."""
        rows = [{"machine": name} | row for name, entries in self.additions.items() for row in as_rows(entries)]
        return {"ok": self.ok, "lines": [line.__dict__ for line in self.lines], "additions": rows}


def diagnose(inventory: Inventory, login: Login, today: dt.date | None = None) -> Diagnosis:
    """Look at everything that provisioning needs, and change nothing."""
    day = today or dt.datetime.now(dt.UTC).date()
    lines = [*controller(day), *certificate(inventory, day), *keys(inventory, day)]
    strange: dict[str, list[Leftover]] = {}
    with ssh_config(inventory, login) as config, ThreadPoolExecutor(1) as pool:
        placed = pool.submit(placed_by_roles, inventory.directory)
        for host in inventory.hosts.values():
            mark = f"{host.name}:" if len(inventory.hosts) > 1 else ""
            lines += [
                Line(mark + each.id, each.owner, each.status, each.message, each.next)
                for each in machine(inventory, host, config, day, placed, strange)
            ]
    return Diagnosis(tuple(lines), {name: declaration(leftovers) for name, leftovers in strange.items()})


def controller(day: dt.date) -> Iterator[Line]:
    """Judge the computer that runs this."""
    yield supported("controller-python", "python", platform.python_version(), day)
    yield supported("controller-ansible", "ansible-core", version("ansible-core"), day)
    found = shutil.which("ssh")
    yield Line(
        "controller-ssh",
        "provider",
        "go" if found else "no-go",
        f"ssh: {found or 'not installed'}",
        "" if found else "apt-get install openssh-client",
    )


def machine(
    inventory: Inventory, host: Host, config: Path, day: dt.date, placed: Future[Placements],
    strange: dict[str, list[Leftover]],
) -> Iterator[Line]:  # fmt: skip
    """Judge one machine; after a no-go the rest is left out. `strange` gets what nothing accounts for."""
    for name, words, good in (
        ("ssh", ["true"], f"{host.name} answers at {host.ansible_host} with its declared host key"),
        ("sudo", ["sudo", "-n", "true"], "sudo works without a password"),
        ("python", ["test", "-x", "/usr/bin/python3"], "python3 is on the machine"),
    ):
        if problem := attempt(config, host, words):
            if name == "python":
                problem = OpsError(
                    "the machine has no /usr/bin/python3",
                    owner="dsi",
                    next_step="as root on the machine: apt-get install python3",
                )
            yield Line(name, problem.owner, "no-go", str(problem.args[0]), problem.next_step)
            return
        yield Line(name, "dsi", "go", good)
    expected = gather.expected_of(inventory, host) | {
        "parts": ["preflight", "outbound", "placed", *PARTS],
        "seconds": 60,
    }
    try:
        found = gather.facts(config, host.name, expected)["facts"]
    except OpsError as error:
        yield Line("preflight", error.owner, "no-go", str(error.args[0]), error.next_step)
        return
    yield from measured(inventory, found, day)
    strange[host.name] = unaccounted(inventory, host, found, placed.result()[host.name])
    yield from addition_lines(strange[host.name])


def unaccounted(
    inventory: Inventory, host: Host, found: Mapping[str, Any], placed: Mapping[str, Placement]
) -> list[Leftover]:
    """Return what nothing accounts for on a machine, provisioned already or not; what was not measured is left out."""
    if any("error" in found[name] for name in (*PARTS, "placed")):
        return []
    access = inventory.access
    named = {each.name for each in [*access.operators, *access.dsi]}
    values = {name: found[name]["value"] for name in PARTS}
    return strangers(values, with_agent(placed, found["placed"]["value"]["placed"]), named, host.machine.additions)


def attempt(config: Path, host: Host, words: list[str]) -> OpsError | None:
    """Run one harmless command on a machine; return why it did not work."""
    try:
        done = subprocess.run(
            ssh_argv(config, host.name, words),
            capture_output=True,
            text=True,
            timeout=SSH_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return OpsError(
            f"{host.name}: no answer in {SSH_SECONDS} s",
            owner="dsi",
            next_step="check that the machine is on and reachable",
        )
    return None if done.returncode == 0 else explain(done.stderr, host.name)


def measured(inventory: Inventory, found: dict[str, Any], day: dt.date) -> Iterator[Line]:
    """Return the preflight's lines, the system's support on this day, and the outbound flows."""
    preflight = found["preflight"]
    if "error" in preflight:
        yield Line(
            "preflight", "provider", "no-go", f"the machine could not be measured: {preflight['error']}", "report this"
        )
        return
    for each in preflight["value"]["lines"].values():
        yield Line(each["id"], each["owner"], each["status"], each["message"], each["next"])
    if system := preflight["value"]["facts"].get("os"):
        yield system_support(system["id"], system["version"], day)
    for name, answers in found["outbound"].get("value", {}).items():
        status: Literal["go", "warn"] = "go" if answers else "warn"
        step = "" if answers else "open the declared flow from the machine"
        yield Line(
            f"flow-out-{name}",
            "dsi",
            status,
            f"outbound flow {name} {'answers' if answers else 'does not answer'}",
            step,
        )
