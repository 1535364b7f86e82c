"""Gather what is expected of this run, and print one JSON document."""

from __future__ import annotations

import json
import os
import sys

from filae_ops.facts import (
    access,
    application,
    database,
    decisive,
    files,
    gathering,
    loaded,
    mounts,
    network,
    network_files,
    outside,
    package_files,
    packages,
    preflight,
    privileges,
    secrets,
    system,
    units,
    web,
    written,
)

MODULES = (
    access,
    application,
    database,
    decisive,
    files,
    loaded,
    mounts,
    network,
    network_files,
    outside,
    package_files,
    packages,
    preflight,
    privileges,
    secrets,
    system,
    units,
    web,
    written,
)


def run(expected: gathering.Expected) -> None:
    """Print the facts; parts that still run are left behind, since they only read."""
    wanted = set(expected.get("parts") or gathering.PARTS)
    for name in set(gathering.PARTS) - wanted:
        del gathering.PARTS[name]
    print(
        json.dumps(
            {"root": gathering.as_root(), "facts": gathering.gather(expected, float(expected.get("seconds", 150)))}
        )
    )
    sys.stdout.flush()
    os._exit(0)
