"""Where things are printed: results on stdout, all else on stderr; colours degrade by themselves."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

out = Console(file=None, highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """Print one line of progress on stderr."""
    err.print(message, markup=False, soft_wrap=True)


def step(message: str) -> None:
    """Print the title of a phase on stderr."""
    err.print(f"==> {message}", style="bold", markup=False, soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout, and nothing else there."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
    sys.stdout.flush()
