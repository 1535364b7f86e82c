"""The application's secrets: born on the machine once, or supplied by provisioning."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

GENERATORS: dict[str, Callable[[], str]] = {
    "hex64": lambda: secrets.token_hex(64),
    "password": lambda: secrets.token_urlsafe(18),
}


def missing(machine: Machine, contract: Contract) -> list[str]:
    """Return the secrets that people must supply and have not."""
    wanted = [name for name, spec in contract.secrets.items() if not spec.get("generate")]
    return sorted(name for name in wanted if not (machine.layout.secrets / name).is_file())


def require(machine: Machine, contract: Contract) -> None:
    """Refuse a release whose supplied secrets are absent."""
    if names := missing(machine, contract):
        raise Refused(
            f"secrets that people supply are absent: {', '.join(names)}",
            next_step=f"add them under app_secrets in secrets.yml ({names[0]}: ...), then provision",
        )


def ensure(machine: Machine, contract: Contract) -> list[str]:
    """Generate the secrets that have never been; return their names."""
    require(machine, contract)
    made = []
    for name, spec in sorted(contract.secrets.items()):
        path = machine.layout.secrets / name
        if path.is_file() or not spec.get("generate"):
            continue
        if spec["generate"] not in GENERATORS:
            raise Failed(f"secret {name}: this agent cannot generate {spec['generate']!r}")
        _create(path, GENERATORS[spec["generate"]]())
        made.append(name)
    return made


def _create(path: Path, value: str) -> None:
    """Give a secret its name only once it is whole on the disk."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(value + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
    durable.sync_directory(path.parent)
