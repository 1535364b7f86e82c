"""Playbooks only list roles; those that change what serves go from machine to machine and stop at the first failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from templates.rendering import ROLES, document

PLAYBOOKS = sorted((ROLES.parent / "playbooks").glob("*.yml"))
ONE_AFTER_THE_OTHER = ("deploy", "rollback")
HOSTS = """filae:
  hosts:
    first: {ansible_host: 192.0.2.1, host_key: "ssh-ed25519 AAAA"}
    second: {ansible_host: 192.0.2.2, host_key: "ssh-ed25519 AAAA"}
"""


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_a_playbook_lists_roles(playbook: Path) -> None:
    (play,) = document(playbook)
    assert play["any_errors_fatal"] is True
    assert "tasks" not in play
    for role in play["roles"]:
        assert (ROLES / role["role"] / "tasks/main.yml").is_file()


@pytest.mark.parametrize("name", ONE_AFTER_THE_OTHER)
def test_one_machine_after_the_other(name: str) -> None:
    (play,) = document(ROLES.parent / "playbooks" / f"{name}.yml")
    assert play["serial"] == 1


def test_the_first_that_fails_leaves_the_others_alone_and_says_why(tmp_path: Path) -> None:
    """A bundle that nobody named is refused before any connection."""
    (tmp_path / "hosts.yml").write_text(HOSTS)
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [program, "-i", tmp_path / "hosts.yml", "playbooks/deploy.yml"],
        cwd=ROLES.parent, env={**os.environ, "ANSIBLE_CONFIG": "ansible.cfg", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode != 0
    assert "[second]" not in done.stdout
    assert "filae-ops: first: no bundle was named\n  who acts: provider\n  next: add -e bundle=" in done.stderr
