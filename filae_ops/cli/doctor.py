"""`filae-ops doctor`: go or no-go, line by line, each with who must act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from filae_ops.cli.options import FirstAccount, Json, Key, Operator, inventory_of
from filae_ops.cli.verify import grid, next_step
from filae_ops.console import Text, out, print_json, say, write

if TYPE_CHECKING:
    from filae_ops.doctor.diagnosis import Diagnosis


def doctor(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    bootstrap_user: FirstAccount = None,
    as_json: Json = False,
) -> None:
    """Say go or no-go before anything is touched. Changes nothing; each line names who must act; exits 1 on no-go."""
    from filae_ops.doctor.diagnosis import diagnose
    from filae_ops.inventory.reading.load import load
    from filae_ops.remote.ssh import Login

    inventory = load(inventory_of(context))
    say(f"looking at {', '.join(inventory.hosts)}")
    diagnosis = diagnose(inventory, Login(bootstrap_user or user, key))
    if as_json:
        print_json(diagnosis.document())
    else:
        show_lines(diagnosis)
    if not diagnosis.ok:
        raise typer.Exit(1)


def show_lines(diagnosis: Diagnosis) -> None:
    """Print one row a line, and the next step under each that needs one."""
    made = grid()
    colours = {"go": "green", "warn": "yellow", "no-go": "red"}
    for line in diagnosis.lines:
        text = f" {line.message}{next_step(line.owner, line.next)}"
        made.add_row(Text(line.status, colours[line.status]), Text.assemble((line.id, "bold"), text))
    out.print(made)
    show_additions(diagnosis)
    out.print(Text("go", "green") if diagnosis.ok else Text.assemble(("no-go", "red"), ": nothing was changed"))


def show_additions(diagnosis: Diagnosis) -> None:
    """Print what to declare of each machine, ready to paste."""
    from filae_ops.doctor.declaration import as_yaml
    from filae_ops.inventory.types.choices import TO_FILL

    for machine, entries in diagnosis.additions.items():
        if entries:
            out.print(
                f"what the DSI knows of this, to paste below `machine:` of {machine} in hosts.yml, with what each is "
                f"for in place of {TO_FILL}; where `additions:` is there already, the entries alone:"
            )
            write(as_yaml(entries))
