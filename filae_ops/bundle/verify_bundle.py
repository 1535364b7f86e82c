"""Verify a bundle as the machine will: its signature first, then every member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from filae_ops.agent.bundle.archive import check, check_signature
from filae_ops.agent.system.errors import Refused
from filae_ops.bundle.consistency import inconsistencies
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
    try:
        contract = Contract.model_validate(manifest["contract"])
    except ValidationError as exc:
        problem = exc.errors()[0]
        raise _other_contract(bundle, problem["loc"], problem["msg"]) from exc
    if problems := inconsistencies(contract):
        raise _other_contract(bundle, *problems[0])
    return Verified(principal, contract, manifest)


def _other_contract(bundle: Path, key: tuple[str | int, ...], text: str) -> OpsError:
    return OpsError(
        f"{bundle}: contract: {'.'.join(map(str, key))}: {text}",
        next_step="use the filae-ops that built it, or build it again with this one",
    )


def as_ops_error(refused: Refused) -> OpsError:
    """Return a refusal of the agent's code as the command line's error."""
    return OpsError(refused.message, owner=cast(Owner, refused.owner), next_step=refused.next_step)
