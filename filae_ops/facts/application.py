"""The agent and the release that it serves, by the agent's own proofs."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH110, PTH119, PTH123, PTH207

from __future__ import annotations

import glob
import hashlib
import json
import os
from typing import Any

from filae_ops.facts.gathering import Expected, Unmeasured, command, part, read

AGENT = "/usr/local/sbin/filaectl"


@part
def agent(_: Expected) -> dict[str, Any]:
    """Return the agent's digest and what it says of the machine."""
    try:
        with open(AGENT, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return {"sha256": "", "status": {}}
    return {"sha256": digest, "status": _json(command(AGENT, "status", "--json", seconds=20))}


@part
def observed(_: Expected) -> dict[str, Any]:
    """Return what the agent proves of the live release: health, schema, file store, probe, attachments."""
    if not os.path.exists(AGENT):
        raise Unmeasured("the machine has no agent: filae-ops provision")
    return _json(command(AGENT, "observe", "--json", seconds=120, statuses=(0, 1)))


def _json(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("event") == "refused":
        raise Unmeasured(f"filaectl refuses: {found.get('message', text[:100])}")
    return found


@part
def receipts(_: Expected) -> dict[str, Any]:
    """Return the DSI's receipts by kind."""
    found = {}
    for path in glob.glob("/var/lib/filae-ops/receipts/*.json"):
        found[os.path.basename(path).removesuffix(".json")] = json.loads(read(path))
    return found


@part
def placed(_: Expected) -> dict[str, Any]:
    """Return what the agent itself placed, and how the releases differ from their manifests."""
    if not os.path.exists(AGENT):
        return {"busy": "", "problem": "", "live": None, "placed": [], "releases": []}
    return _json(command(AGENT, "_placed", seconds=60))
