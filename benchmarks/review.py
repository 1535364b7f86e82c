"""A review beside `ansible-inventory` alone: one site, then a hundred. Touches no machine.

Run from the repository, on a quiet host: `.venv/bin/python benchmarks/review.py`. Prints this run's seconds and ratios.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from filae_ops.inventory.reading.ansible_values import environment, inventory_argv

ROOT = Path(__file__).parents[1]
SITE = ROOT / "inventories" / "hospital-vm"
ONE_LIMIT, MANY_LIMIT = 1.0, 10.0
"""Seconds beyond `ansible-inventory` for one site; seconds in all for a hundred."""


def timed(argv: Sequence[str], env: dict[str, str]) -> float:
    """Return the seconds that a command took; it must end well."""
    start = time.perf_counter()
    done = subprocess.run(argv, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{argv[0]}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return seconds


def review(paths: Sequence[Path]) -> float:
    """Return the seconds of one review of these sites."""
    named = [word for path in paths for word in ("-i", str(path))]
    argv = [sys.executable, "-m", "filae_ops", *named, "review", "--json", "--as-of", "2026-11-22"]
    return timed(argv, {**os.environ, "PYTHONPATH": str(ROOT)})


def alone(path: Path) -> float:
    """Return the seconds of `ansible-inventory` on one site."""
    return timed(inventory_argv(path / "hosts.yml"), environment())


def copies(directory: Path, count: int) -> list[Path]:
    """Return copies of the example, each of its own name."""
    made = []
    for number in range(count):
        path = directory / f"site-{number:03}"
        shutil.copytree(SITE, path)
        file = path / "group_vars/all/site.yml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("name: chv-production", f"name: chv-{number:03}"), encoding="utf-8")
        made.append(path)
    return made


def main() -> None:
    """Measure in turn, so that what else the host does weighs on both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sites", type=int, default=100)
    options = parser.parse_args()
    pairs = [(review([SITE]), alone(SITE)) for _ in range(options.runs)]
    one, ansible = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"one site: review {one:.2f} s, ansible-inventory alone {ansible:.2f} s")
    print(f"  beyond it: {one - ansible:.2f} s (limit {ONE_LIMIT}), {one / ansible:.1f} times")
    with tempfile.TemporaryDirectory(prefix="filae-review-") as scratch:
        paths = copies(Path(scratch), options.sites)
        many = min(review(paths) for _ in range(2))
    print(f"{len(paths)} sites: review {many:.2f} s (limit {MANY_LIMIT}), {1000 * many / len(paths):.0f} ms each")
    print(f"  {many / (ansible * len(paths)):.2f} of as many ansible-inventory one after the other")


if __name__ == "__main__":
    main()
