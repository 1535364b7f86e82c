"""What a host check is made of: an id, a requirement of the register, the facts, and how it says no."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytest

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.verification.accounted_files import Leftover, files, with_agent
from filae_ops.verification.placed_by_roles import Placement


class Broken(AssertionError):  # noqa: N818  # it is a verdict
    """A check that did not find what it wants: a code of its words, and the values that they show."""

    def __init__(self, code: str, values: Mapping[str, Any]) -> None:
        super().__init__(f"{code} {values}")
        self.code, self.values = code, recorded(values)


class NotRun(pytest.skip.Exception):  # type: ignore[name-defined,misc]
    """A check that could not be measured: a code of its words, and the values that they show."""

    def __init__(self, code: str, values: Mapping[str, Any]) -> None:
        super().__init__(f"{code} {values}")
        self.code, self.values = code, recorded(values)


class NoObject(NotRun):
    """A check that has nothing to look at on this site: nothing is left to measure."""


def check(name: str, requirement: str, *, against: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Name a check and the requirement that it measures; the register says who answers for it.

    `against`: the fields of the inventory that it compares the machine with; a failure contradicts them.
    """
    return pytest.mark.check(id=name, requirement=requirement, against=against)


def broken(code: str, /, **values: Any) -> NoReturn:
    """Say that the requirement does not hold: the words of a code of this check, which name who acts, and values.

    The words are in templates/verification/checks.LANG.yml, under the check or under `shared`. A value is a text, a
    number, a day, a moment, or several texts; the words show exactly these.
    """
    raise Broken(code, values)


def not_run(code: str, /, **values: Any) -> NoReturn:
    """Say that this could not be measured, and why: never a pass."""
    raise NotRun(code, values)


def no_object(code: str, /, **values: Any) -> NoReturn:
    """Say that this has no object on this site, by its inventory: never a pass, and nothing is left to measure."""
    raise NoObject(code, values)


def recorded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as JSON holds them; a day or a moment is written by ISO 8601."""

    def one_value(value: Any) -> Any:
        if isinstance(value, dt.date):
            return value.isoformat()
        if isinstance(value, list | tuple | set | frozenset):
            return [one_value(item) for item in (value if isinstance(value, list | tuple) else sorted(value))]
        return value if isinstance(value, int | float) else str(value)

    return {name: one_value(value) for name, value in values.items()}


def is_loopback(address: str) -> bool:
    """Tell whether a socket's address is the machine's own, which no other machine reaches."""
    return address != "*" and ipaddress.ip_address(address).is_loopback


class Facts:
    """The facts of a machine; a part that could not be read makes its checks `not_run`."""

    def __init__(self, parts: Mapping[str, Mapping[str, Any]]) -> None:
        self.parts = parts

    def __getitem__(self, name: str) -> Any:
        found = self.parts.get(name, {"error": "not asked"})
        if "error" in found:
            not_run("not_measured", error=found["error"])
        return found["value"]

    def known(self, name: str) -> Mapping[str, Any]:
        """Return a part where it was read, else nothing: for what only helps to name a cause."""
        value: Mapping[str, Any] = self.parts.get(name, {}).get("value", {})
        return value


@dataclass(frozen=True)
class Target:
    """One machine under judgement: what is declared, what was found inside and from elsewhere."""

    inventory: Inventory
    declared: Host
    facts: Facts
    outside: Mapping[str, Any]
    placed: Mapping[str, Placement]
    """What the roles would place, by path."""
    ssh_config: Path | None = None

    @property
    def name(self) -> str:
        """Return the machine's name in the inventory."""
        return self.declared.name

    @cached_property
    def host(self) -> Any:
        """Return testinfra's view of the machine, over the connection that the gathering opened."""
        import testinfra  # type: ignore[import-untyped]

        if self.ssh_config is None:
            not_run("no_connection")
        return testinfra.get_host(f"ssh://{self.name}", ssh_config=str(self.ssh_config), sudo=True)

    @cached_property
    def leftovers(self) -> tuple[Leftover, ...]:
        """Return the files that nothing accounts for, or that are not as what accounts for them has them."""
        ours = self.facts["placed"]
        if ours["busy"]:
            not_run("busy", by=ours["busy"])
        if ours["problem"]:
            not_run("agent_unsure", problem=ours["problem"])
        placed = with_agent(self.placed, ours["placed"])
        return tuple(files(self.facts["decisive"]["rows"], placed, self.declared.machine.additions))

    @property
    def front(self) -> Mapping[str, Any]:
        """Return the front door as seen from elsewhere, or from the machine where elsewhere cannot reach it."""
        found: Mapping[str, Any] = self.outside.get("web", {})
        return found["value"] if "value" in found else self.facts["served"]  # type: ignore[no-any-return]

    def answer(self, probe: str) -> Any:
        """Return one answer of the front door; none means that nothing can be said."""
        found = self.front[probe]
        if "error" in found:
            self.needs("nginx")
            not_run("no_answer", error=found["error"])
        return found["value"]

    def needs(self, service: Literal["nginx", "postgresql"]) -> None:
        """Say that nothing can be measured where a service does not run: its own check says so."""
        unit = {"nginx": "nginx.service", "postgresql": "postgresql@17-main.service"}[service]
        state = self.facts.known("units").get("units", {}).get(unit, {})
        if not state or state["ActiveState"] in ("active", "reloading"):
            return
        if service == "nginx":
            not_run("no_nginx")
        not_run("no_postgresql")

    @property
    def deployed(self) -> str:
        """Return the live version; without one, the application's checks have no object."""
        version: str | None = self.facts["agent"]["status"].get("version")
        return version or not_run("nothing_deployed")

    def line(self, name: str) -> Mapping[str, Any]:
        """Return a line of the preflight."""
        found: Mapping[str, Any] | None = self.facts["preflight"]["lines"].get(name)
        return found if found is not None else not_run("preflight_silent", line=name)

    def answers(self, name: str) -> bool:
        """Tell whether a line of the preflight was measured, and is a go."""
        lines = self.facts.known("preflight").get("lines", {})
        return bool(lines.get(name, {}).get("status") == "go")

    def set_elsewhere(self, program: str, ours: str, settings: Mapping[str, str]) -> list[str]:
        """Return the files that set these settings though ours still has them all; none where ours was changed.

        Provisioning puts our file back, and leaves the others. Where none is seen to set them: the folder.
        """
        files: Mapping[str, Mapping[str, str]] = self.facts.known("written").get(program, {})
        wanted = {name.lower(): value for name, value in settings.items()}
        differing = [
            path
            for path, found in files.items()
            if any(found.get(name, value) != value for name, value in wanted.items())
        ]
        if not wanted.keys() <= files.get(ours, {}).keys() or ours in differing:
            return []
        return differing or [str(Path(ours).parent)]


def read_targets(directory: Path) -> list[Target]:
    """Return what `verify` left for the checks."""
    context = json.loads((directory / "context.json").read_text())
    inventory = Inventory.model_validate_json(json.dumps(context["inventory"]))
    return [
        Target(
            inventory=inventory, declared=inventory.hosts[name], facts=Facts(each["facts"]), outside=each["outside"],
            placed={path: Placement(**row) for path, row in each["placed"].items()},
            ssh_config=Path(context["ssh_config"]),
        )
        for name, each in context["hosts"].items()
    ]  # fmt: skip
