"""Read the `release.yml` of a source tree: each problem is told with its file and line."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from filae_ops.bundle.contract import Contract
from filae_ops.errors import OpsError
from filae_ops.strict_yaml import describe, load

FILE_NAME = "release.yml"


def load_contract(path: Path) -> Contract:
    """Read and validate a `release.yml`; OpsError names every problem with file and line."""
    value, locate = load(path)
    next_step = f"correct {path.name}, then build again"
    if not isinstance(value, dict):
        raise OpsError(f"{locate.where(())}: not a release contract: no keys", next_step=next_step)
    try:
        contract = Contract.model_validate(value)
    except ValidationError as exc:
        raise OpsError("\n".join(describe(exc, locate)), next_step=next_step) from exc
    if problems := contract.disagreements():
        lines = [f"{locate.where(loc)}: {loc[0]}: {text}" for loc, text in problems]
        raise OpsError("\n".join(lines), next_step=next_step)
    return contract
