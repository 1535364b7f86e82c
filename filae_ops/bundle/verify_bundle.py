"""Verify a bundle as the machine will: its signature first, then every member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from filae_ops.agent.bundle.archive import check, check_signature
from filae_ops.agent.system.errors import Refused
from filae_ops.bundle.contract import Contract
from filae_ops.errors import OpsError, Owner


@dataclass(frozen=True)
class Verified:
    """A bundle that a machine with these signers would take."""

    principal: str
    contract: Contract
    manifest: dict[str, Any]


def verify_bundle(bundle: Path, signature: Path, allowed_signers: Path, *, at: datetime | None = None) -> Verified:
    """Check the signature (at a time, now by default), then each member; OpsError says why not."""
    try:
        principal = check_signature(bundle, signature, allowed_signers, at=at)
        manifest = check(bundle)
    except Refused as exc:
        raise as_ops_error(exc) from exc
    return Verified(principal, Contract.model_validate(manifest["contract"]), manifest)


def as_ops_error(refused: Refused) -> OpsError:
    """Return a refusal of the agent's code as the command line's error."""
    return OpsError(refused.message, owner=cast(Owner, refused.owner), next_step=refused.next_step)
