"""Run the host's own tools: lists only, output kept, failures told in full."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from filae_ops.errors import OpsError


def run(
    argv: Sequence[str | Path],
    *,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    input_text: str | None = None,
    timeout: float = 900,
) -> subprocess.CompletedProcess[str]:
    """Run one command; raise OpsError with its last lines when it fails and `check` is set."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            env=env,
            # Never the caller's own input: ssh would eat what was typed ahead, or the rest of a script.
            input=input_text or "",
            timeout=timeout,
            errors="replace",
        )
    except FileNotFoundError:
        raise OpsError(
            f"{words[0]}: command not found", next_step="run `./filae-ops demo`, which installs it"
        ) from None
    except subprocess.TimeoutExpired:
        raise OpsError(f"{' '.join(words)}: no end after {timeout:.0f} s") from None
    if check and done.returncode != 0:
        tail = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise OpsError(f"{' '.join(words)}: exit status {done.returncode}\n  {tail}")
    return done
