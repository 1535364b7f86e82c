"""What several commands share: their options, and how their usage reads."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import typer.core

from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from filae_ops.language import Lang
    from filae_ops.remote.rollout import Target


class Command(typer.core.TyperCommand):
    """A command whose usage line shows its arguments as they are typed: Typer puts the required ones in braces."""

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the words of the usage line."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


def among(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return what the shell completes a value with; the names are only looked up then."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


class LanguageName(StrEnum):
    """The languages of documents, as the command line takes them."""

    FR = "fr"
    EN = "en"

    @property
    def lang(self) -> Lang:
        """Return the language as documents take it."""
        return "en" if self is LanguageName.EN else "fr"


class OwnerName(StrEnum):
    """Who answers, as the command line takes it."""

    DSI = "dsi"
    PROVIDER = "provider"
    HOST = "host"
    DPO = "dpo"
    SHARED = "shared"


Language = Annotated[LanguageName, typer.Option("--lang", metavar="LANG", help="fr or en.")]
Html = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write it as one page, to read or print.", dir_okay=False)
]
Markdown = Annotated[
    Path | None, typer.Option("--markdown", metavar="FILE", help="Write it as Markdown.", dir_okay=False)
]
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
        "--key",
        metavar="FILE",
        envvar="FILAE_SSH_KEY",
        help="Private key; default: your SSH agent.",
        exists=True,
        dir_okay=False,
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


def inventories_of(context: typer.Context) -> list[Path]:
    """Return the inventories that the caller named, or refuse."""
    chosen = list(context.find_root().obj or [])
    if not chosen:
        raise OpsError(
            "no inventory was named",
            next_step="filae-ops -i DIR/hosts.yml …, or set $FILAE_INVENTORY; `filae-ops init DIR` writes one",
            exit_code=2,
        )
    return chosen


def inventory_of(context: typer.Context) -> Path:
    """Return the one inventory that the caller named, or refuse."""
    chosen = inventories_of(context)
    if len(chosen) > 1:
        raise OpsError(
            f"{len(chosen)} inventories were named; `{context.info_name}` works on one site",
            next_step=f"filae-ops -i {chosen[0]} {context.info_name} …, then the next",
            exit_code=2,
        )
    return chosen[0]


def targets_of(context: typer.Context) -> list[Target]:
    """Return every machine of every inventory that the caller named."""
    from filae_ops.remote.rollout import targets

    return targets(inventories_of(context))
