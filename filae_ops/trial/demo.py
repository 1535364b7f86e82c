"""The whole journey on a disposable machine: from nothing to a verified Filaé, each phase timed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops.bundle.build import Built, build
from filae_ops.console import err, say, step
from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.load import load
from filae_ops.lab import fleet
from filae_ops.lab.machine import Machine
from filae_ops.lab.machine_inventory import release_key
from filae_ops.paths import checkout
from filae_ops.playbook.refusal import refusal
from filae_ops.playbook.run import Outcome, playbook_argv, run_playbook
from filae_ops.remote.connection import Remote, connect
from filae_ops.remote.filaectl import deploy, failure, send
from filae_ops.remote.progress import Progress
from filae_ops.remote.ssh import Login

VERSION = "2.0.0"


@dataclass
class Journey:
    """What the demonstration made and measured; `phases` are (title, seconds)."""

    phases: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Announce a phase and time it."""
        step(title)
        start = time.monotonic()
        yield
        self.phases.append((title, time.monotonic() - start))


def provision(inventory: Path) -> Outcome:
    """Provision the machines of an inventory with live progress; raise what it refuses."""
    with Progress(err, "provisioning") as progress:
        outcome = run_playbook(playbook_argv("provision", inventory, {}), progress.event)
    if not outcome.ok:
        raise refusal(outcome, inventory)
    say(f"  {outcome.tasks} tasks, {outcome.changed} changed")
    return outcome


def reference_bundle(version: str, output: Path, key: Path) -> Built:
    """Build and sign a version of the reference application."""
    root = checkout()
    if root is None:
        raise OpsError(
            "the demonstration's application is in the checkout, not in the wheel",
            next_step="clone the repository and run ./filae-ops demo there",
        )
    import sys

    sys.path.insert(0, str(root / "tests"))
    try:
        from apps import materialise  # type: ignore[import-not-found]  # a checkout's tests are no package
    finally:
        sys.path.pop(0)
    with tempfile.TemporaryDirectory(prefix="filae-demo-") as source:
        return build(materialise("reference", version, Path(source)), output, key)


def put_into_service(site: Inventory, machine: Machine, built: Built) -> None:
    """Deploy the bundle; raise why it was refused or undone."""
    from filae_ops.agent.transaction.wording import line as words

    def show(event: dict[str, Any]) -> None:
        if "time" in event and (text := words(event)):
            say(f"  {text}")

    host = site.hosts[machine.name]
    with connect(host, Login()) as remote:
        events = deploy(remote, send(remote, built.bundle), Login().user_for(host), check=False, on_event=show)
    if problem := failure(events, host.name):
        raise problem


def fetch(remote: Remote, path: str) -> str:
    """Return the text of a file of the machine."""
    answer = remote.run(["sudo", "-n", "cat", path])
    if answer.status != 0:
        raise OpsError(f"{remote.host.name}: {path} cannot be read: {answer.stderr.strip()}")
    return answer.stdout


def run(name: str, journey: Journey, verify: Callable[[Path], Any]) -> dict[str, Any]:
    """Walk the whole way; return what the reader needs to look at the result."""
    with journey.phase("machine: a bare Debian 13, disposable"):
        machine = fleet.up(name, say=say)
    with journey.phase("provision: system, access, database, TLS, proxy, firewall, agent"):
        provision(machine.inventory)
    with journey.phase(f"bundle: build and sign the reference application {VERSION}"):
        built = reference_bundle(VERSION, machine.directory / "bundles", release_key(machine.lab))
    site = load(machine.inventory)
    with journey.phase("deploy: put the release into service"):
        put_into_service(site, machine, built)
    with journey.phase("verify: each party does its part"):
        verdict = verify(machine.inventory)
    with connect(site.hosts[machine.name], Login()) as remote:
        authority = machine.inventory.parent / "evidence" / "local-ca.pem"
        authority.parent.mkdir(exist_ok=True)
        authority.write_text(fetch(remote, "/etc/filae/tls/served-ca.pem"))
        password = fetch(remote, "/etc/filae/secrets/admin_password").strip()
    return {
        "url": f"https://{machine.address}/", "ca": authority, "login": "admin", "password": password,
        "verdict": verdict, "machine": machine, "inventory": machine.inventory,
    }  # fmt: skip
