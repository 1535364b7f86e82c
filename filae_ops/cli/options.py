"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from filae_ops.errors import OpsError

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Operator = Annotated[
    str | None,
    typer.Option("--user", envvar="FILAE_USER", help="Your operator account; default: your own name."),
]
FirstAccount = Annotated[
    str | None,
    typer.Option("--bootstrap-user", help="First contact: the account that the DSI delivered, such as root."),
]
Key = Annotated[
    Path | None,
    typer.Option("--key", envvar="FILAE_SSH_KEY", help="Private key; default: your SSH agent.", dir_okay=False),
]
Check = Annotated[bool, typer.Option("--check", help="Show what would change, change nothing.")]
Vault = Annotated[
    Path | None,
    typer.Option("--vault-password-file", envvar="ANSIBLE_VAULT_PASSWORD_FILE", help="Password of secrets.yml."),
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
