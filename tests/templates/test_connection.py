"""The pinned connection, as Ansible reads it from group_vars."""

from __future__ import annotations

import shlex
from pathlib import Path

import jinja2
import pytest
import yaml

from filae_ops.writers.openssh import ssh_pinned_options

VARIABLES = yaml.safe_load((Path(__file__).parents[2] / "playbooks/group_vars/all.yml").read_text())
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILxqI6i6DdOkDLWzysRd7QOg7yVx+MnTdKp2CvRk572J"


@pytest.mark.parametrize("comment", ["", " root@machine", " clé de l'hôpital", ' 100% "quoted" -o ProxyCommand=x'])
def test_a_host_key_s_comment_changes_nothing(comment: str) -> None:
    options = ssh_pinned_options("v1", KEY + comment)
    words = shlex.split(jinja2.Template(VARIABLES["ansible_ssh_common_args"]).render(__ssh_options=options))
    assert words[1::2] == options
    assert words[-1] == f"KnownHostsCommand=/bin/echo v1 {KEY}"


def test_a_shared_connection_lies_where_only_its_owner_writes() -> None:
    assert VARIABLES["ansible_control_path"].startswith("%(directory)s/")
    assert "/tmp" not in VARIABLES["ansible_control_path_dir"]
