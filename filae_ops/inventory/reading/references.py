"""What the inventory names must be in the register: hosts, their services, duties."""

from __future__ import annotations

from collections.abc import Iterator

from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.reading.problems import Problem, guess
from filae_ops.inventory.reading.yaml_files import Loc, Source


def reference_problems(inventory: Inventory, source: Source) -> list[Problem]:
    """Return each name that the register does not hold, with the nearest that it does."""
    found: list[Problem] = []
    hosting = inventory.hosting
    if hosting.host_id is None and hosting.service_id is None and not inventory.responsibilities:
        return found
    from filae_ops.register.lookup import OTHER, third_party_hosts, third_party_services

    if hosting.host_id is not None and hosting.host_id not in (known := third_party_hosts()):
        step = f"write a host of the register, listed by `filae-ops schema`, or {OTHER} for one that is not there"
        what = f"{hosting.host_id!r} is no host of the register{guess(hosting.host_id, known)}"
        found.append(_problem(source, ("hosting", "host_id"), what, step))
    elif hosting.service_id is not None and hosting.service_id not in third_party_services(hosting.host_id):
        services = third_party_services(hosting.host_id)
        found.append(_service(source, hosting.host_id, hosting.service_id, services))
    return [*found, *_duties(inventory, source)]


def _service(source: Source, host_id: str | None, service_id: str, known: list[str]) -> Problem:
    of = f"of {host_id} in the register" if host_id else "of the register"
    step = f"write one of {', '.join(known)}" if host_id else "name the host too: host_id"
    what = f"{service_id!r} is no service {of}{guess(service_id, known)}"
    return _problem(source, ("hosting", "service_id"), what, f"{step}; `filae-ops schema` lists them all")


def _duties(inventory: Inventory, source: Source) -> Iterator[Problem]:
    from filae_ops.register.lookup import duties

    for name in inventory.responsibilities:
        if name not in duties():
            what = f"{name!r} is no duty of the register{guess(name, list(duties()))}"
            yield _problem(source, ("responsibilities", name), what, "write a duty that `filae-ops schema` lists")


def _problem(source: Source, loc: Loc, what: str, step: str) -> Problem:
    return Problem(source.where(loc), ".".join(map(str, loc)), what, "dsi", step)
