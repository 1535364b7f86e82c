"""`filae-ops lab`: disposable machines."""

from __future__ import annotations

import subprocess
from typing import Annotated

import typer

from filae_ops.cli.options import Command, Json
from filae_ops.console import out, print_json, say
from filae_ops.errors import OpsError

app = typer.Typer(help="Disposable Debian machines on this host, for demo and tests.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the machine.")]


@app.command(cls=Command)
def up(
    name: Name = "demo",
    suite: Annotated[str, typer.Option(metavar="SUITE", help="Debian suite: trixie or bookworm.")] = "trixie",
    count: Annotated[int, typer.Option(min=1, max=16, metavar="N", help="How many; names get a number from 1.")] = 1,
    as_json: Json = False,
) -> None:
    """Start a machine, making it first when it does not exist."""
    from filae_ops.lab import fleet

    names = [name] if count == 1 else [f"{name}{index}" for index in range(1, count + 1)]
    made = [fleet.up(each, suite=suite, say=say) for each in names]
    rows = [fleet.describe(machine) for machine in made]
    if as_json:
        print_json(rows[0] if count == 1 else rows)
        return
    for row in rows:
        say(f"{row['name']} runs at {row['address']}; its inventory:")
        out.print(row["inventory"], soft_wrap=True)


@app.command("list", cls=Command)
def list_machines(as_json: Json = False) -> None:
    """List this lab's machines."""
    from rich.table import Table

    from filae_ops.lab import fleet

    rows = [fleet.describe(machine) for machine in fleet.known()]
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "state", "address", "suite"):
        table.add_column(title)
    for row in rows:
        table.add_row(row["name"], row["state"], row["address"], row["suite"])
    out.print(table if rows else "no machine; start one with: ./filae-ops lab up demo")


@app.command(cls=Command)
def ssh(
    name: Name,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="After --: a command to run instead of a shell."),
    ] = None,
    user: Annotated[str, typer.Option(metavar="NAME", help="Account on the machine.")] = "lab",
) -> None:
    """Open a shell on a machine, or run a command there."""
    from filae_ops.lab import lifecycle

    argv = lifecycle.ssh_argv(lifecycle.find(name), command or [], user=user)
    raise typer.Exit(subprocess.run(argv).returncode)


@app.command(cls=Command)
def reset(name: Name) -> None:
    """Give a machine an empty disk again: bare system, new host key."""
    from filae_ops.lab import fleet

    fleet.reset(name, say=say)
    say(f"{name} is bare again")


@app.command(cls=Command)
def cut(name: Name) -> None:
    """Cut a machine's power; `lab up NAME` switches it on again."""
    from filae_ops.lab import lifecycle

    lifecycle.stop(lifecycle.find(name), cut=True)
    say(f"{name} has no power; ./filae-ops lab up {name} switches it on")


@app.command(cls=Command)
def down(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Name of the machine.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every machine of this lab, and its network.")] = False,
) -> None:
    """Remove a machine, or all of them; the base image stays."""
    from filae_ops.lab import fleet

    if (name is None) == (not everything):
        raise OpsError("lab down takes a NAME or --all", next_step="./filae-ops lab list", exit_code=2)
    fleet.down(name)
