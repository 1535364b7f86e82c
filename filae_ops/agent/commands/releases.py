"""`filaectl releases`: what the machine keeps, and which of it a rollback may put back."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.database import compatibility, schema_table
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import history
from filae_ops.agent.transaction import journal as journals

WIDTH = 80


def releases(machine: Machine) -> list[dict[str, Any]]:
    """Return the kept releases, the highest first: since when, by whom, and why not to go back there."""
    live = machine.live()
    events = journals.of_machine(machine.layout.journal).read()
    present = of_release(machine.layout.release(live.version)) if live else None
    found = []
    for version in reversed(machine.kept()):
        contract = of_release(machine.layout.release(version))
        served = history.put_into_service(events, version) or {}
        serving = bool(live and version == live.version)
        found.append(
            {
                "version": version,
                "live": serving,
                "since": served.get("ended"),
                "by": served.get("operator"),
                "schema_version": contract.get("migrate").get("schema_version"),
                "kind": contract.get("migrate").get("kind"),
                "no_rollback": "it is live" if serving else _obstacle(machine, events, contract, present),
            }
        )
    return found


def print_releases(machine: Machine, *, as_json: bool) -> int:
    """Print them."""
    found = releases(machine)
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines(found)))
    return 0


def lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the releases as a table of at most 80 columns."""
    if not found:
        return ["no release is kept: nothing was deployed yet"]
    cells = [(_short(each["version"], 30), _when(each["since"]), _short(each["by"] or "?", 16)) for each in found]
    versions, names = (max(least, *(len(cell[at]) for cell in cells)) for at, least in ((0, 7), (2, 2)))
    rows = [f"{'release':<{versions}}  {'since (UTC)':<16}  {'by':<{names}}  rollback"]
    for each, (version, since, by) in zip(found, cells, strict=True):
        start = f"{version:<{versions}}  {since:<16}  {by:<{names}}  "
        why = "LIVE" if each["live"] else f"no: {each['no_rollback']}" if each["no_rollback"] else "possible"
        if len(start) > WIDTH // 2:
            rows.append(start.rstrip())
            start = " " * (WIDTH // 2)
        later = " " * len(start)
        rows += textwrap.wrap(why, WIDTH, initial_indent=start, subsequent_indent=later, break_on_hyphens=False)
    return rows


def _when(time: str | None) -> str:
    return (time or "?")[:16].replace("T", " ")


def _short(text: str, columns: int) -> str:
    return text if len(text) <= columns else f"{text[: columns - 1]}…"


def _obstacle(machine: Machine, events: Sequence[journals.Event], target: Contract, live: Contract | None) -> str:
    """Return why a rollback would refuse this release, or nothing; its tree and packages are looked at later."""
    if live is None:
        return "nothing is live"
    try:
        compatibility.only_downwards(target, live)
        compatibility.compatible(machine, events, target, schema_table.version(machine))
    except Refused as exc:
        return exc.message
    except Failed as exc:
        return f"not known: {exc}"
    return ""
