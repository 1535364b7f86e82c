"""What is looked at before anything changes: a refusal names the value, the owner and the next step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle import archive
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.bundle.tree_check import manifest_of
from filae_ops.agent.database import migration_check, postgresql
from filae_ops.agent.preflight import capacity
from filae_ops.agent.release import apt, compared_tree
from filae_ops.agent.runtime import credentials, health, launcher
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.json_file import PROVISION
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.system.versions import version_key
from filae_ops.agent.transaction import journal as journals


@dataclass(frozen=True)
class Checked:
    """What preflight found of a bundle and of the machine."""

    signer: str
    contract: Contract
    live: Live | None
    packages: tuple[str, ...]
    size: int
    disk_needed: int
    disk_free: int
    memory_free: int
    unchanged: bool = False
    mode: str = "two"
    change: migration_check.Change | None = None


def check(machine: Machine, bundle: Path) -> Checked:
    """Refuse, or say what a deploy of this bundle is about. Nothing is written."""
    signer = archive.check_signature(bundle, Path(f"{bundle}.sig"), machine.layout.signers)
    trusted(machine, signer)
    found = archive.check(bundle)
    contract, live = Contract(found["contract"]), machine.live()
    size = sum(int(entry.get("size", 0)) for entry in found["files"])
    if live is not None:
        same_application(of_release(machine.layout.release(live.version)), contract)
    only_upwards(contract, live)
    same = live is not None and live.version == contract.version
    if same:
        same_content(machine, found)
    unchanged = (
        same and not health.problem(contract, health.at_front_door(machine.config)) and intact(machine, contract)
    )
    free, memory = capacity.disk_free(machine), capacity.memory_available(machine)
    dump, mode, change = 0, "two", None
    if not unchanged:
        machine_ready(machine, contract)
        if migration_check.pending(machine, contract, again=same):
            change = migration_check.check(machine, contract, serving=live is not None)
        dump = capacity.dump_room(machine, change)
        capacity.disk_room(size, free, dump)
        mode = capacity.mode(contract, memory, of_release(machine.layout.release(live.version)) if live else None)
    packages = tuple(apt.missing(machine, apt.required(contract)))
    return Checked(signer, contract, live, packages, size, 3 * size + dump, free, memory, unchanged, mode, change)


def trusted(machine: Machine, signer: str) -> None:
    """Refuse the demo's key on a production site."""
    if machine.config.production and signer.startswith("demo"):
        raise Refused(
            f"the bundle is signed by {signer!r}, a demo key, and this site is in production",
            next_step="deploy the bundle that the provider's release key signed",
        )


def same_application(live: Contract, contract: Contract) -> None:
    """Refuse another application's bundle: its migrations would run on this one's data."""
    name, other = live.data["name"], contract.data["name"]
    if name != other:
        raise Refused(
            f"the bundle holds {other!r}, this machine runs {name!r}",
            next_step=f"deploy a bundle of {name!r}; another application needs a machine of its own",
        )


def only_upwards(contract: Contract, live: Live | None) -> None:
    """Refuse a lower version, and one that skips a stop."""
    if live is None:
        return
    if version_key(contract.version) < version_key(live.version):
        raise Refused(
            f"version {contract.version} is lower than the live {live.version}: deploy only goes up",
            next_step="build what is to be deployed under a higher version",
        )
    stop = str(contract.data.get("min_from") or "")
    if stop and version_key(live.version) < version_key(stop):
        raise Refused(
            f"version {contract.version} is reached from {stop} or later; the live one is {live.version}",
            next_step=f"deploy {stop} first",
        )


def intact(machine: Machine, contract: Contract) -> bool:
    """Tell whether the live tree is as it was deployed; one that somebody changed is made anew by the same bundle."""
    events = journals.of_machine(machine.layout.journal).read()
    differences = compared_tree.compared(machine, events, contract.version, math.inf)
    return not differences["problem"] and not any(differences[kind]["count"] for kind in compared_tree.KINDS)


def same_content(machine: Machine, found: Mapping[str, Any]) -> None:
    """Refuse other content under a version that is live."""
    version = found["contract"]["version"]
    if manifest_of(machine.layout.release(version))["files"] != found["files"]:
        raise Refused(
            f"version {version} is live with other content than this bundle's",
            next_step="give the new content a new version in release.yml",
        )


def machine_ready(machine: Machine, contract: Contract) -> None:
    """Refuse when dpkg is busy, Ruby another, a calendar none, or settings, secrets or the database are missing."""
    calendars(machine, contract)
    if why := apt.busy(machine):
        raise Refused(why, next_step="wait for its end, or: dpkg --configure -a")
    wanted = str(contract.data.get("ruby") or "")
    if wanted and (found := apt.ruby(machine)) != wanted:
        raise Refused(
            f"the release runs on Ruby {wanted}; this Debian has {found or 'none'}",
            next_step="deploy a release made for this Debian's Ruby",
        )
    if names := launcher.missing_settings(contract, launcher.placed_settings(machine.layout)["settings"]):
        raise Refused(
            f"settings without a value: {', '.join(names)}",
            owner="shared",
            next_step=f"set them under app.settings in the inventory, then {PROVISION}",
        )
    credentials.require(machine, contract)
    try:
        postgresql.psql(machine, "SELECT 1")
    except Failed as exc:
        raise Refused(
            f"PostgreSQL does not answer: {exc}", next_step=exc.next_step or "systemctl status postgresql"
        ) from exc


def calendars(machine: Machine, contract: Contract) -> None:
    """Refuse a timer whose calendar this machine's systemd does not read."""
    for name, timer in contract.timers.items():
        calendar = str(timer["calendar"])
        result = machine.runner.run(["systemd-analyze", "calendar", "--", calendar])
        if result.status != 0:
            raise Refused(
                f"timers.{name}.calendar: {calendar!r} is no calendar of systemd's: {result.err.strip()[:200]}",
                owner="provider",
                next_step=f"correct it in release.yml (systemd-analyze calendar {calendar!r}), then build again",
            )
