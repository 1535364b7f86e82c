"""The command line: one function per command, one file per family, one error boundary."""

from __future__ import annotations

import io
import signal
import traceback
from pathlib import Path
from typing import Annotated

import typer

from filae_ops import __version__
from filae_ops.cli import (
    bundle,
    demo,
    deploy,
    doctor,
    lab,
    logs,
    maintenance,
    provision,
    report,
    requirements,
    status,
    verify,
)
from filae_ops.cli.flows import flows
from filae_ops.cli.init import init
from filae_ops.cli.options import Command
from filae_ops.cli.request_vm import request_vm
from filae_ops.cli.review import review
from filae_ops.cli.schema import schema
from filae_ops.console import err, guard, say, write
from filae_ops.errors import OpsError

app = typer.Typer(
    name="filae-ops",
    help="Deploy and operate Filaé on a hospital's machine, and prove that each party does its part.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo", cls=Command)(demo.demo)
app.command(
    "test",
    cls=Command,
    options_metavar="[OPTIONS] [PYTEST WORDS]...",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(demo.test)
app.command("init", cls=Command)(init)
app.command("schema", cls=Command)(schema)
app.command("review", cls=Command)(review)
app.command("flows", cls=Command)(flows)
app.command("request-vm", cls=Command)(request_vm)
app.command("doctor", cls=Command)(doctor.doctor)
app.command("provision", cls=Command)(provision.provision)
app.command("deploy", cls=Command)(deploy.deploy)
app.command("rollback", cls=Command)(deploy.rollback)
app.command("releases", cls=Command)(status.releases)
app.command("status", cls=Command)(status.status)
app.command("journal", cls=Command)(status.journal)
app.command("logs", cls=Command)(logs.logs)
app.command("verify", cls=Command)(verify.verify)
app.add_typer(requirements.app, name="requirements")
app.add_typer(report.app, name="report")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(lab.app, name="lab")
app.add_typer(bundle.app, name="bundle")


def _version(wanted: bool) -> None:
    if wanted:
        write(f"filae-ops {__version__}\n")
        raise typer.Exit()


@app.callback()
def options(
    context: typer.Context,
    inventory: Annotated[
        list[Path] | None,
        typer.Option(
            "--inventory",
            "-i",
            metavar="PATH",
            envvar="FILAE_INVENTORY",
            help="The site: DIR/hosts.yml or DIR; once for each of several.",
        ),
    ] = None,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Keep the inventories for the command that follows."""
    context.obj = inventory


def main() -> int:
    """Run the command line and return the exit status; expected errors end here, bugs keep their traceback."""
    guard()
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal ends a run as Ctrl-C does, unless under nohup
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        result = app(prog_name="filae-ops", standalone_mode=False)
    except OpsError as error:
        err.print(f"filae-ops: {error}", soft_wrap=True, style="red" if err.is_terminal else None)
        return error.exit_code
    except typer.Abort:
        return 130
    except KeyboardInterrupt:
        say("filae-ops: interrupted")
        return 130
    except Exception as error:
        # Typer reports wrong usage with exceptions of its own parser, which carry their exit status.
        show = getattr(error, "show", None)
        if show is None:
            say(traceback.format_exc().rstrip())
            return 1
        if isinstance(said := getattr(error, "message", None), str):  # Typer lets the prefix of its validator through
            error.message = said.removeprefix("Value error, ")  # type: ignore[attr-defined]
        show(shown := io.StringIO())
        say(shown.getvalue().rstrip())
        return int(getattr(error, "exit_code", 2))
    return int(result or 0)
