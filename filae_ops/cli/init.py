"""`filae-ops init`: the first draft of an inventory."""

from __future__ import annotations

import datetime as dt
import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import among
from filae_ops.console import out, say
from filae_ops.errors import OpsError
from filae_ops.inventory.types.choices import MODELS, TO_FILL

if TYPE_CHECKING:
    from filae_ops.inventory.writing.answers import Answers, Keyholder

_KEY_MAX = 16 * 1024
_KINDS = ("production", "preproduction", "test", "demo")
_LATER = "left to fill in"
_MODELS = "\n\n".join(f"{name}: {words}" for name, words in MODELS.items())


def init(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="Directory to write; it must be new or empty.")],
    hosting: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            autocompletion=among(lambda: MODELS),
            help=f"Hosting model; left out, a terminal asks. {_MODELS}",
        ),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="Short name of the site; default: the directory's.")] = "",
    environment: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            autocompletion=among(lambda: _KINDS),
            help="production, preproduction, test or demo.",
        ),
    ] = "production",
    public_name: Annotated[
        str, typer.Option(metavar="NAME", show_default=_LATER, help="DNS name that users type.")
    ] = TO_FILL,
    address: Annotated[
        str, typer.Option(metavar="HOST", show_default=_LATER, help="Address or name of the machine.")
    ] = TO_FILL,
    host_key: Annotated[
        str, typer.Option(metavar="KEY", show_default=_LATER, help="SSH host key of the machine, or a .pub file.")
    ] = TO_FILL,
    operator: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:KEYFILE:UNTIL", help="An operator, until YYYY-MM-DD; may be repeated."),
    ] = None,
) -> None:
    """Write a commented inventory for a hosting model. Lists what is left to fill in."""
    from filae_ops.inventory.writing.answers import Answers, Keyholder, MachineAnswers
    from filae_ops.inventory.writing.scaffold import write

    answers = Answers(
        name=name or path.resolve().name.lower(),
        hosting=hosting or ask_model(),
        environment=environment,
        public_name=public_name,
        machines=(MachineAnswers(address=address, host_key=_host_key(host_key)),),
        operators=tuple(map(parse_operator, operator or [])) or (Keyholder(),),
    )
    write(path, answers)
    out.print(report(path, answers), soft_wrap=True)


def ask_model() -> str:
    """Ask the hosting model at a terminal; elsewhere, wrong usage."""
    if not sys.stdin.isatty():
        raise OpsError(
            "the hosting model is not said, and there is no terminal to ask it at\n" + "\n".join(_lines()),
            next_step="run it again with --hosting MODEL",
            exit_code=2,
        )
    say("Qui héberge les données ? (--hosting)\n" + "\n".join(_lines()))
    while (chosen := typer.prompt("Modèle", err=True, prompt_suffix=" : ").strip()) not in MODELS:
        close = difflib.get_close_matches(chosen, MODELS, 1)
        hint = f" ; vouliez-vous dire {close[0]} ?" if close else ""
        say(f"« {chosen} » n'est pas dans la liste{hint}")
    return str(chosen)


def _lines() -> list[str]:
    width = max(map(len, MODELS))
    return [f"  {name.ljust(width)}  {words}" for name, words in MODELS.items()]


def parse_operator(text: str) -> Keyholder:
    """Read `NAME:KEYFILE:UNTIL`, the key file included."""
    from filae_ops.inventory.writing.answers import Keyholder

    name, _, rest = text.partition(":")
    file, _, until = rest.rpartition(":")
    if not (name and file and until):
        raise OpsError(
            f"--operator {text!r} is not NAME:KEYFILE:UNTIL",
            next_step="write it as amartin:keys/amartin.pub:2027-06-30",
            exit_code=2,
        )
    try:
        day = dt.date.fromisoformat(until)
    except ValueError:
        raise OpsError(
            f"--operator {name}: {until!r} is not a date",
            next_step="write the last day of validity as YYYY-MM-DD",
            exit_code=2,
        ) from None
    if day < dt.date.today():
        raise OpsError(
            f"--operator {name}: {until} is past, nobody could enter with this key",
            next_step="write the last day of validity, today or later",
            exit_code=2,
        )
    return Keyholder(name, _key_file(Path(file)), day)


def report(path: Path, answers: Answers) -> str:
    """Say what was written, what is left, and the next command."""
    from filae_ops.inventory.writing.scaffold import asked_later, remaining, render

    files = render(answers)
    left = remaining(files)
    lines = [f"wrote {path}"]
    if left:
        lines += [
            f"{len(left)} values left to fill in before anything can run (now written `{TO_FILL}`):",
            *(f"  {line}" for line in left),
        ]
    if later := asked_later(files):
        lines.append(f"{later} more that the review will ask for, by who acts")
    if answers.tls_provided:
        lines += [
            f"then put certificate.pem, chain.pem and root.pem in {path}/tls,",
            f"and encrypt the key: ansible-vault encrypt {path}/secrets.yml",
        ]
    if not left:
        return "\n".join([*lines, f"next: filae-ops -i {path} review, then doctor"])
    lines.append(f"no machine yet? filae-ops -i {path} request-vm asks the DSI for it, from what is filled in")
    return "\n".join([*lines, f"next: fill these values in, then filae-ops -i {path} review, then doctor"])


def _host_key(text: str) -> str:
    return _key_file(Path(text)) if text.endswith(".pub") else text


def _key_file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            words = stream.read(_KEY_MAX).decode().split()
    except (OSError, UnicodeDecodeError) as exc:
        raise OpsError(
            f"the key file {path} cannot be read: {getattr(exc, 'strerror', None) or 'it is not text'}",
            next_step="give the path of a .pub file",
            exit_code=2,
        ) from None
    if "PRIVATE" in words:
        raise OpsError(f"{path} is a private key", next_step=f"give the public one: {path}.pub", exit_code=2)
    return " ".join(words[:2])
