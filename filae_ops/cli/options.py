"""What several commands share: their options, and how their usage reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import typer.core

from filae_ops.errors import OpsError


class Command(typer.core.TyperCommand):
    """A command whose usage line shows its arguments as they are typed: Typer puts the required ones in braces."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the words of the usage line."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Operator = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", envvar="FILAE_USER", help="Your operator account; default: your own name."),
]
FirstAccount = Annotated[
    str | None,
    typer.Option(
        "--bootstrap-user", metavar="NAME", help="First contact: the account that the DSI delivered, such as root."
    ),
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", envvar="FILAE_SSH_KEY", help="Private key; default: your SSH agent.", dir_okay=False
    ),
]
Check = Annotated[bool, typer.Option("--check", help="Show what would change, change nothing.")]
Vault = Annotated[
    Path | None,
    typer.Option(
        "--vault-password-file",
        metavar="FILE",
        envvar="ANSIBLE_VAULT_PASSWORD_FILE",
        help="File that holds the password of secrets.yml.",
    ),
]


def inventory_of(context: typer.Context) -> Path:
    """Return the inventory that the caller named, or refuse."""
    chosen = context.find_root().obj
    if not isinstance(chosen, Path):
        raise OpsError(
            "no inventory was named",
            next_step="filae-ops -i DIR/hosts.yml …, or set $FILAE_INVENTORY; `filae-ops init DIR` writes one",
            exit_code=2,
        )
    return chosen
