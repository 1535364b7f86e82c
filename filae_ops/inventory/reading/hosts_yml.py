"""hosts.yml: the group filae, and the variables that a machine may carry."""

from __future__ import annotations

from typing import Any

from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.reading.problems import Problem, guess
from filae_ops.strict_yaml import Locate

GROUP = "filae"
_KNOWN = sorted(set(Host.model_fields) - {"name"})
_CONNECTION = ", ".join(key for key in _KNOWN if key.startswith("ansible_"))
_ANSIBLE_S_OWN = f"refused: of Ansible's own variables an inventory declares {_CONNECTION} alone"
_FORM = "write `filae:`, then `hosts:`, then one machine by line; `filae-ops init PATH` writes one"

Loc = tuple[int | str, ...]
Found = dict[str, tuple[Loc, dict[str, Any]]]


def read_hosts(values: Any, locate: Locate) -> tuple[Found, list[Problem]]:
    """Return each machine of the group filae with its place and variables, and what is wrong."""
    problems: list[Problem] = []
    groups = _groups(values, locate, problems)
    found: Found = {}
    for loc, name, hosts in groups:
        if name != GROUP and hosts:
            what = f"machines outside of the group {GROUP}"
            problems.append(Problem(locate.where(loc), ".".join(map(str, loc)), what, next_step=_FORM))
            continue
        for host, variables in hosts.items():
            place = (*loc, host)
            found[host] = (place, variables or {})
            problems += _variables(place, host, variables or {}, locate)
    if not found and not problems:
        problems.append(Problem(locate.where(()), "", f"no machine in the group {GROUP}", next_step=_FORM))
    return found, problems


def _groups(values: Any, locate: Locate, problems: list[Problem]) -> list[tuple[Loc, str, dict[str, Any]]]:
    """Return (place, group, hosts), of both forms: `filae:` alone, or `all: children: filae:`."""
    pending: list[tuple[Loc, Any]] = [((), values or {})]
    found: list[tuple[Loc, str, dict[str, Any]]] = []
    while pending:
        loc, groups = pending.pop(0)
        for name, group in groups.items() if _is_mapping(groups, loc, locate, problems) else ():
            place = (*loc, name)
            if name not in ("all", GROUP):
                what = f"unknown group {name!r}{guess(name, ['all', GROUP])}"
                problems.append(Problem(locate.where(place), "", what, next_step=_FORM))
            elif _is_mapping(group or {}, place, locate, problems):
                _keys(place, group or {}, locate, problems)
                pending.append(((*place, "children"), (group or {}).get("children") or {}))
                hosts = (group or {}).get("hosts") or {}
                if _is_mapping(hosts, (*place, "hosts"), locate, problems):
                    found.append(((*place, "hosts"), name, hosts))
    return found


def _keys(loc: Loc, group: dict[str, Any], locate: Locate, problems: list[Problem]) -> None:
    for key in group:
        if key not in ("hosts", "children"):
            step = "write values under each machine, or in group_vars/all/*.yml"
            what = f"unknown key{guess(key, ['hosts', 'children'])}"
            problems.append(Problem(locate.where((*loc, key)), ".".join(map(str, (*loc, key))), what, next_step=step))


def _variables(loc: Loc, host: str, variables: Any, locate: Locate) -> list[Problem]:
    problems: list[Problem] = []
    if not _is_mapping(variables, loc, locate, problems):
        return problems
    for key in variables:
        place, label = locate.where((*loc, key)), f"hosts.{host}.{key}"
        if key not in _KNOWN and key.startswith("ansible_"):
            problems.append(Problem(place, label, f"{_ANSIBLE_S_OWN}{guess(key, _KNOWN)}", next_step="remove it"))
        elif key not in _KNOWN:
            problems.append(Problem(place, label, f"unknown key{guess(key, _KNOWN)}"))
    return problems


def _is_mapping(value: Any, loc: Loc, locate: Locate, problems: list[Problem]) -> bool:
    if isinstance(value, dict):
        return True
    label = ".".join(map(str, loc))
    problems.append(Problem(locate.where(loc), label, "a mapping (`key: value` lines) is wanted", next_step=_FORM))
    return False
