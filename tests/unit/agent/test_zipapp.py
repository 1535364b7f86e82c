"""The agent, packed: the same bytes from the same sources, with nothing but Python."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

from filae_ops.agent.zipapp import build_zipapp


def test_the_packed_agent_is_the_same_bytes_and_runs(tmp_path: Path) -> None:
    first, second = build_zipapp(tmp_path / "a"), build_zipapp(tmp_path / "b")
    assert first == second == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    done = subprocess.run([sys.executable, "-I", tmp_path / "a", "--help"], capture_output=True, text=True, check=True)
    assert {"deploy", "recover", "status"} <= set(re.findall(r"\w+", done.stdout))


def test_the_agent_needs_no_installed_package(tmp_path: Path) -> None:
    build_zipapp(tmp_path / "a")
    argv = [sys.executable, "-I", "-S", str(tmp_path / "a"), "journal", "--json"]
    assert subprocess.run(argv, capture_output=True).returncode == 0
