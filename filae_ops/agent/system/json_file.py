"""Files of JSON that provisioning, or the agent itself, left for the agent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from filae_ops.agent.system.errors import Refused

PROVISION = "filae-ops provision"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that provisioning places."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        raise Refused(f"{path} is absent: the machine is not provisioned", next_step=PROVISION) from None
    except (OSError, ValueError, RecursionError) as exc:
        raise Refused(f"{path} cannot be read: {exc}", next_step=PROVISION) from exc
    if not isinstance(data, dict):
        raise Refused(f"{path} does not hold an object", next_step=PROVISION)
    return data


def refuse_value(path: Path, key: str, value: object, why: str) -> NoReturn:
    """Refuse a value of such a file, spelt out and shortened."""
    raise Refused(f"{path}: {key}: {why} (got {value!r:.100})", next_step=PROVISION)
