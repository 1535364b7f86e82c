"""`filae-ops demo` and `filae-ops test`: the newcomer's two commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from filae_ops.console import out
from filae_ops.errors import OpsError


def demo(name: Annotated[str, typer.Option(metavar="NAME", help="Name of the disposable machine.")] = "demo") -> None:
    """Provision, deploy and verify on a disposable machine. Safe to run again."""
    from filae_ops.lab.host import require_host
    from filae_ops.trial.demo import Journey, run
    from filae_ops.verification.verify import verify_inventory

    require_host()
    journey = Journey()
    made = run(name, journey, verify_inventory)
    total = sum(seconds for _, seconds in journey.phases)
    program = "./filae-ops" if Path("filae-ops").is_file() else sys.argv[0]
    lines = [
        "",
        f"Filaé runs: {made['url']}",
        f"  authority to trust   {made['ca']}",
        f"  login                {made['login']}",
        f"  password             {made['password']}",
        "",
        "Verdict by owner",
        *(f"  {line}" for line in made["verdict"].by_owner_lines()),
        "",
        "Time per phase",
        *(f"  {seconds:6.1f} s  {title}" for title, seconds in journey.phases),
        f"  {total:6.1f} s  in all",
        "",
        "Next",
        f"  export FILAE_INVENTORY={made['inventory']}",
        f"  {program} status",
        f"  {program} verify",
        f"  {program} provision --check",
        f"  {program} lab ssh {name}",
        f"  {program} lab down --all",
    ]
    for line in lines:
        out.print(line, soft_wrap=True)
    if made["verdict"].failed:
        raise OpsError(f"{made['verdict'].failed} checks failed", next_step=f"{program} -i {made['inventory']} verify")


def test(
    context: typer.Context,
    unit: Annotated[bool, typer.Option("--unit", help="Linters and unit tests only: no root, no machine.")] = False,
    long: Annotated[bool, typer.Option("--long", help="Also the tests that take more than ten minutes.")] = False,
) -> None:
    """Run the linters, the unit tests and the scenarios. These use disposable machines. Other words go to pytest."""
    from filae_ops.paths import checkout
    from filae_ops.trial.selftest import linters, pytest_argv, run_all

    root = checkout()
    if root is None:
        raise OpsError(
            "the tests are in the checkout, not in the wheel",
            next_step="clone the repository, then ./filae-ops test",
        )
    if not unit:
        from filae_ops.console import say
        from filae_ops.lab.host import NEEDS, TEST_NEEDS, install_missing, require_host

        require_host()
        install_missing(say, {**NEEDS, **TEST_NEEDS})
    os.chdir(root)
    raise typer.Exit(run_all([*linters(), pytest_argv(context.args, unit=unit, long=long)]))
