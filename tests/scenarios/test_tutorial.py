"""The tutorial is executed as it is written."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from filae_ops.lab import fleet

ROOT = Path(__file__).parents[2]


def commands(document: str) -> str:
    """Return the shell blocks of a document as one script that stops at the first failure."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / document).read_text(), re.MULTILINE | re.DOTALL)
    return "set -euo pipefail\n" + "\n".join(blocks)


def test_every_command_of_the_tutorial_works_in_its_order(bundles: dict[str, Path]) -> None:
    done = subprocess.run(
        ["bash", "-c", commands("tutorial.md")],
        cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=1200, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "2.1.0" in done.stdout
    assert "tutorial" not in [machine.name for machine in fleet.known()]
