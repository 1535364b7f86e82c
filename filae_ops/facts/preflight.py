"""The lines of the preflight, measured again by its own script."""

from __future__ import annotations

import json
import sys
from typing import Any

from filae_ops.facts.gathering import Expected, command, part


@part
def preflight(expected: Expected) -> dict[str, Any]:
    """Return the preflight's lines by id, and what it measured."""
    text = command(sys.executable or "/usr/bin/python3", "-", text=expected["preflight"], seconds=45)
    found = json.loads(text)
    return {"lines": {line["id"]: line for line in found["lines"]}, "facts": found["facts"]}
