"""Files beside an inventory that Ansible reads or runs, and that no review shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from filae_ops.inventory.reading.problems import Problem

_READ_BY_ANSIBLE = ("", ".yml", ".yaml", ".json")


def unreviewed(directory: Path) -> Iterator[Problem]:
    """Give a problem for each variable file, program or setting of Ansible's in an inventory's folder."""
    step = "move its values to hosts.yml or group_vars/all/*.yml, and remove it"
    for path in _variable_files(directory):
        yield Problem(str(path), "", "Ansible reads this, filae-ops and reviewers do not", next_step=step)
    hosts, settings = directory / "hosts.yml", directory / "ansible.cfg"
    # Run or read when ansible-playbook is started elsewhere than in the toolkit's folder.
    if hosts.stat().st_mode & 0o111 and hosts.read_bytes().startswith(b"#!"):
        what = "a program, by its first line: Ansible may run it"
        yield Problem(str(hosts), "", what, next_step=f"remove that line; chmod -x {hosts}")
    if os.path.lexists(settings):
        what = "settings of Ansible, which may name programs, beside an inventory"
        yield Problem(str(settings), "", what, next_step="remove it: the toolkit has its own")


def _variable_files(directory: Path) -> Iterator[Path]:
    if (directory / "host_vars").exists():
        yield directory / "host_vars"
    for path in sorted((directory / "group_vars").iterdir()):
        if path.name != "all" and not path.name.startswith(".") and path.suffix in _READ_BY_ANSIBLE:
            yield path
    for path in sorted((directory / "group_vars" / "all").iterdir()):
        hidden = path.name.startswith(".") or path.name.endswith("~")
        read = path.is_dir() or path.suffix in _READ_BY_ANSIBLE
        if read and not hidden and (path.is_dir() or path.suffix != ".yml"):
            yield path
