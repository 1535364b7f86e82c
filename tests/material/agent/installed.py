"""A machine where 2.1.0 runs with the gems of Debian's packages, and the updates of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from material.agent.fakes import machine_at, make_live, put_release

from filae_ops.agent.release import outdated
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Result

LOCK = """PATH
  remote: engines/own
  specs:
    own (1.0)

GEM
  specs:
    rack (3.1.20)
    puma (6.6.0)
      nio4r (~> 2.0)
    rspec (9999)

DEPENDENCIES
  rack

BUNDLED WITH
   2.6.7
"""
SPECS = "/usr/share/rubygems-integration/all/specifications"
STARTED = 1_800_000_000


def provisioned(root: Path, **config: Any) -> Machine:
    """Return a machine where 2.1.0 runs, locked from gems that are all there."""
    shown = Result(0, f"MainPID=7\nControlGroup=/filae\nExecMainStartTimestamp=@{STARTED}\n")
    machine, _ = machine_at(root, {"systemctl show filae-web@green": shown, "systemctl show filae-worker": Result(0)},
                            **config)  # fmt: skip
    tree = put_release(machine, "2.1.0")
    (tree / "Gemfile").write_text("")
    (tree / "Gemfile.lock").write_text(LOCK)
    make_live(machine, "2.1.0", "green")
    gem(root, "rack-3.1.20")
    gem(root, "puma-6.6.0", "usr/lib/x86_64-linux-gnu/rubygems-integration/3.3.0/specifications")
    outdated.record(machine.layout, "2.1.0").parent.mkdir()
    outdated.record(machine.layout, "2.1.0").write_text(json.dumps({"absent": ["rspec-9999"]}))
    (root / "sys/fs/cgroup/filae").mkdir(parents=True)
    (root / "sys/fs/cgroup/filae/cgroup.procs").write_text("7\n8\n")
    return machine


def gem(root: Path, name: str, place: str = "usr/share/rubygems-integration/all/specifications") -> Path:
    path = root / place / f"{name}.gemspec"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def package(root: Path, name: str, *files: str, age: int) -> None:
    path = root / "var/lib/dpkg/info" / f"{name}.list"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["/.", *files]) + "\n")
    os.utime(path, (STARTED + age, STARTED + age))
