"""`filae-ops schema`: what editors check an inventory with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filae_ops.console import say, write
from filae_ops.errors import OpsError


def schema(
    hosts: Annotated[bool, typer.Option("--hosts", help="The schema of hosts.yml.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of on stdout.")
    ] = None,
) -> None:
    """Print the JSON Schema of an inventory, for editors. That of group_vars/all/*.yml, or of hosts.yml."""
    from filae_ops.inventory.writing.json_schema import hosts_schema, inventory_schema, text

    written = text(hosts_schema() if hosts else inventory_schema(), indent=2)
    if output is None:
        write(written)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(written, encoding="utf-8")
    except OSError as exc:
        step = "give the path of a file that you may write"
        raise OpsError(f"{output} cannot be written: {exc.strerror}", next_step=step) from None
    say(f"wrote {output}")
