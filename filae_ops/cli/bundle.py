"""`filae-ops bundle`: build, sign and verify the releases of an application."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from filae_ops.cli.options import Command, Json
from filae_ops.console import out, print_json, say
from filae_ops.errors import OpsError

if TYPE_CHECKING:
    from filae_ops.bundle.build import Built

app = typer.Typer(help="Build, sign and verify release bundles.", no_args_is_help=True)


@app.command("build", cls=Command)
def build_command(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Directory that holds release.yml.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the bundle is written.")],
    key: Annotated[
        Path | None,
        typer.Option(envvar="FILAE_BUNDLE_KEY", metavar="FILE", help="SSH private key that signs."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Build a bundle from SRC, and sign it with an SSH key.

    The same source gives the same bytes. Make a key with: ssh-keygen -t ed25519 -f bundle_key; its public
    half goes to app.signers in the inventory. Without --key the bundle is unsigned, and no machine takes it.
    """
    from filae_ops.bundle.build import build

    built = build(source, output, key)
    for path, reason in built.left_out:
        say(f"left out: {path} ({reason})")
    if built.signature is None:
        say(f"UNSIGNED: no machine will take {built.bundle}. Build it again with --key SSH_PRIVATE_KEY.")
    if as_json:
        print_json(_as_document(built))
    else:
        out.print(str(built.bundle), soft_wrap=True)


@app.command(cls=Command)
def verify(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(metavar="FILE", help="The .tar.zst file.")],
    signature: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Detached signature (default: FILE.sig).")
    ] = None,
    allowed_signers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keys that may sign, as ssh-keygen reads them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Verify a bundle as a machine does: its signature, then its files.

    The keys come from --allowed-signers, or from app.signers of the inventory (filae-ops -i INVENTORY).
    """
    from filae_ops.bundle.verify_bundle import verify_bundle

    named = context.find_root().obj
    with _signers(bundle, allowed_signers, named[0] if named else None) as signers:
        verified = verify_bundle(bundle, signature or Path(f"{bundle}.sig"), signers)
    contract, entries = verified.contract, len(verified.manifest["files"])
    if as_json:
        document = {"ok": True, "bundle": str(bundle), "signed_by": verified.principal, "files": entries}
        print_json(document | {"name": contract.name, "version": contract.version})
    else:
        text = f"{bundle}: {contract.name} {contract.version}, signed by {verified.principal}, {entries} entries"
        out.print(f"{text}, all as signed", soft_wrap=True)


@contextlib.contextmanager
def _signers(bundle: Path, given: Path | None, inventory: Path | None) -> Iterator[Path]:
    """Give the file of allowed keys: the one that is given, or one made from the inventory."""
    if given is not None:
        yield given
        return
    if inventory is None:
        raise OpsError(
            f"{bundle}: no keys to verify it against",
            next_step=f"filae-ops -i INVENTORY bundle verify {bundle}, or add --allowed-signers FILE",
            exit_code=2,
        )
    from filae_ops.inventory.reading.load import load
    from filae_ops.writers.openssh import allowed_signers

    with tempfile.NamedTemporaryFile("w", suffix=".allowed_signers") as stream:
        stream.write(allowed_signers(signer.model_dump() for signer in load(inventory).app.signers))
        stream.flush()
        yield Path(stream.name)


def _as_document(built: Built) -> dict[str, object]:
    return {
        "ok": True,
        "bundle": str(built.bundle),
        "signature": str(built.signature) if built.signature else None,
        "name": built.name,
        "version": built.version,
        "sha256": built.sha256,
        "size": built.size,
        "files": built.files,
        "left_out": [{"path": path, "reason": reason} for path, reason in built.left_out],
    }
