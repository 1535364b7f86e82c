"""What a release states of itself: the contract compiled into its MANIFEST.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filae_ops.agent.bundle.contract_rules import contract_problem
from filae_ops.agent.system.errors import Refused

AGAIN = "deploy the release again"


class Contract(NamedTuple):  # no dataclass: a process of the release would wait for its import
    """A release's contract, with what it leaves out filled in."""

    data: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Return the release's version."""
        return str(self.data["version"])

    def get(self, name: str) -> Any:
        """Return an entry, or an empty mapping when it is not stated."""
        return self.data.get(name) or {}

    @property
    def secrets(self) -> dict[str, dict[str, Any]]:
        """Return the secrets by name."""
        return {name: dict(spec or {}) for name, spec in self.get("secrets").items()}

    def secrets_for(self, process: str) -> dict[str, dict[str, Any]]:
        """Return the secrets that a process gets: all but those kept for another."""
        return {n: s for n, s in self.secrets.items() if s.get("for") in (None, process)}

    @property
    def workers(self) -> list[str]:
        """Return the processes beside web."""
        return sorted(name for name in self.get("processes") if name != "web")

    @property
    def timers(self) -> dict[str, dict[str, Any]]:
        """Return the timers by name."""
        return dict(self.get("timers"))

    @property
    def files(self) -> list[dict[str, str]]:
        """Return the lasting directories: name and path in the release."""
        return [dict(entry) for entry in self.data.get("files") or []]

    @property
    def scratch(self) -> list[str]:
        """Return the writable paths that are lost with the release."""
        return [str(path) for path in self.data.get("scratch") or []]

    @property
    def packages(self) -> list[str]:
        """Return Debian's packages that the release runs with, Ruby included."""
        ours = ["ruby"] if self.data.get("ruby") else []
        return sorted({*ours, *(self.data.get("debian_packages") or [])})

    @property
    def memory(self) -> int:
        """Return the bytes that one colour needs."""
        return int(self.data["memory"])

    def command(self, process: str) -> list[str]:
        """Return the command of a process: web, a worker, timer:NAME, migrate, setup, probe, files_check."""
        if process.startswith("timer:"):
            entry = self.timers.get(process.removeprefix("timer:"), {}).get("command")
        elif process in ("migrate", "setup", "probe", "files_check"):
            entry = self.get(process).get("command")
        else:
            entry = self.get("processes").get(process)
        if not entry:
            raise Refused(f"release {self.version} has no process {process!r}", next_step="filaectl status")
        return [str(word) for word in entry]


def of_release(release: Path) -> Contract:
    """Read the contract of a release that lies on the machine, by the rules of a bundle's."""
    place = release / "MANIFEST.json"
    try:
        data = json.loads(place.read_text())
        problem = contract_problem(data["contract"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as exc:
        raise Refused(f"{place} cannot be read: {exc}", next_step=AGAIN) from exc
    if problem:
        raise Refused(f"{place}: {problem}", next_step=AGAIN)
    return Contract(data["contract"])
