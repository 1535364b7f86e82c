"""Playbooks only list roles; those that change what serves go from machine to machine and stop at the first failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from templates.rendering import ROLES, document

PLAYBOOKS = sorted((ROLES.parent / "playbooks").glob("*.yml"))
ONE_AFTER_THE_OTHER = ("deploy", "rollback")
DEMO = ROLES.parent / "inventories/demo"
CLOSED = "127.0.0.1\n      ansible_port: 9"  # nothing listens there


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


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the example of a demonstration, on a machine that does not answer."""
    place = tmp_path / "site"
    shutil.copytree(DEMO, place)
    change(place / "hosts.yml", "ansible_host: 192.0.2.10", f"ansible_host: {CLOSED}")
    return place


def change(path: Path, text: str, replacement: str) -> None:
    before = path.read_text()
    assert text in before
    path.write_text(before.replace(text, replacement))


def plainly(
    playbook: str, site: Path, *options: str, source: str = "hosts.yml", config: str = "", path: str = "",
    folder: Path = ROLES.parent,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run ansible-playbook as an operator may, without filae-ops; `folder` has the playbooks."""
    environment = {**os.environ, "ANSIBLE_CONFIG": config or str(ROLES.parent / "ansible.cfg"), "LC_ALL": "C.UTF-8"}
    program = Path(sys.executable).parent / "ansible-playbook"
    return subprocess.run(
        [program, "-i", site / source, folder / f"playbooks/{playbook}.yml", *options],
        cwd=ROLES.parent, env=environment | ({"PATH": path} if path else {}),
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def beside_ours(folder: Path) -> Path:
    """Return a folder for a playbook that has our variables, filters and modules."""
    playbooks = folder / "playbooks"
    playbooks.mkdir()
    for name in ("filter_plugins", "group_vars", "library", "lookup_plugins"):
        (playbooks / name).symlink_to(ROLES.parent / "playbooks" / name)
    return playbooks


def test_the_first_that_fails_leaves_the_others_alone_and_says_why(site: Path) -> None:
    """A bundle that nobody named is refused before any connection."""
    hosts = (site / "hosts.yml").read_text()
    machine = hosts[hosts.index("    filae-demo:") :]
    (site / "hosts.yml").write_text(hosts + machine.replace("filae-demo:", "second:"))
    done = plainly("deploy", site)
    assert done.returncode != 0
    assert "[second]" not in done.stdout
    assert "filae-ops: filae-demo: no bundle was named\n  who acts: provider\n  next: add -e bundle=" in done.stderr


TEMPLATE = "\"{{ lookup('pipe', 'touch MARK') }}\""
HOSTILE = {
    "a template for an address": ("hosts.yml", f"ansible_host: {CLOSED}", f"ansible_host: {TEMPLATE}", "a template"),
    "a transfer by a program": (
        "hosts.yml", "ansible_port: 9",
        "ansible_port: 9\n      ansible_sftp_executable: MARK.sh\n      ansible_ssh_transfer_method: sftp",
        "Ansible's own variables"),
    "the comment of every file": (
        "hosts.yml", "ansible_port: 9", 'ansible_port: 9\n      ansible_managed: "x\\n%group ALL=(ALL) NOPASSWD: ALL"',
        "Ansible's own variables"),
    "a variable of a role": ("group_vars/all/site.yml", "site:", "lock_description: x\nsite:", "unknown key"),
    "a scope that is a line of ssh": (
        "hosts.yml", f"ansible_host: {CLOSED}", 'ansible_host: "fe80::1%h\\n  ProxyCommand MARK.sh"', "neither an IP"),
    "a file that reviewers do not read": ("group_vars/filae.yml", "", "site: {}\n", "filae-ops and reviewers do not"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("playbook", "case"),
    [*(("deploy", case) for case in HOSTILE), *((path.stem, "a template for an address") for path in PLAYBOOKS[1:])],
)
def test_plain_ansible_applies_nothing_that_a_review_would_refuse(playbook: str, case: str, site: Path) -> None:
    """Refused before a value is templated, before anything connects, in the review's own words."""
    mark = site.parent / "mark"
    name, old, new, reason = (text.replace("MARK", str(mark)) for text in HOSTILE[case])
    (site.parent / "mark.sh").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (site.parent / "mark.sh").chmod(0o755)
    (site / name).touch()
    change(site / name, old, new)
    done = plainly(playbook, site, "--check")
    assert done.returncode != 0
    assert reason in done.stderr
    assert "who acts: " in done.stderr
    assert "TASK" not in done.stdout
    assert not mark.exists()


ANSWERING = """#!/usr/bin/env python3
import os, sys
command = sys.argv[-1]
sys.stdin.read()
print('{"changed": false, "rc": 0, "stdout": "{}", "stderr": "", "ansible_facts": {"__ssh_options": '
      '["ProxyCommand=touch MARK"], "access_proof": ["touch", "MARK"], "tls_certificate": "/etc/hostname"}}')
"""


def test_what_a_machine_answers_becomes_no_variable(site: Path) -> None:
    """A program in ssh's place gives to each task facts that are named as our variables."""
    mark, program = site.parent / "mark", site.parent / "bin/ssh"
    program.parent.mkdir()
    program.write_text(ANSWERING.replace("MARK", str(mark)))
    program.chmod(0o755)
    show = "{{ __ssh_options | join(' ') }} {{ access_proof | first }} {{ tls_certificate }}"
    (beside_ours(site.parent) / "deploy.yml").write_text(
        "- hosts: filae\n  gather_facts: false\n  tasks:\n    - ansible.builtin.command: /bin/true\n"
        f'    - ansible.builtin.assert: {{that: false, fail_msg: "SHOWN {show}"}}\n'
    )
    done = plainly("deploy", site, path=f"{program.parent}:{os.environ['PATH']}", folder=site.parent)
    assert "SHOWN StrictHostKeyChecking=yes" in done.stdout + done.stderr
    assert str(mark) not in done.stdout + done.stderr
    assert "/etc/hostname" not in done.stdout + done.stderr
    assert not mark.exists()


def test_another_configuration_of_ansible_is_refused(site: Path) -> None:
    other = site.parent / "ansible.cfg"
    other.write_text(f"[defaults]\nroles_path = {ROLES}\nlibrary = {ROLES.parent}/playbooks/library\n")
    done = plainly("deploy", site, config=str(other))
    assert f"Ansible is set by {other}, not by " in done.stderr
    assert "TASK" not in done.stdout


def test_a_folder_in_the_place_of_the_inventory_is_refused(site: Path) -> None:
    """Ansible would read every file of it."""
    folder = site.parent / "hosts.yml"
    site.rename(folder)
    (folder / "notes.yml").write_text("all: {vars: {ansible_connection: local}}\n")
    done = plainly("deploy", site.parent)
    assert "one inventory is wanted" in done.stderr or "is a folder" in done.stderr
    assert "TASK" not in done.stdout


EVERY_TEMPLATE = """
- hosts: filae
  gather_facts: false
  vars_files: [{files}]
  tasks:
    - ansible.builtin.assert:
        that: lookup('ansible.builtin.template', item) | length > 0
        quiet: true
      loop: [{templates}]
"""


def test_every_template_takes_what_ansible_gives(site: Path) -> None:
    """Ansible's numbers and texts are kinds of its own: each template is written from an inventory, by Ansible."""
    mirror = "patching:\n  mirror: {url: http://192.0.2.80/debian, security_url: http://192.0.2.80/security}\n"
    change(site / "group_vars/all/patching.yml", "patching:\n", mirror)
    playbooks = beside_ours(site.parent)
    files = [*sorted(ROLES.glob("*/defaults/main.yml")), *sorted(ROLES.glob("*/vars/main.yml"))]
    mapped = [*files, playbooks / "group_vars/all.yml"]  # the last wins, as it does over a role's defaults
    templates = sorted(ROLES.glob("*/templates/*"))
    text = EVERY_TEMPLATE.format(files=", ".join(map(str, mapped)), templates=", ".join(map(str, templates)))
    (playbooks / "deploy.yml").write_text(text)
    done = plainly("deploy", site, folder=site.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_inventory_beside_the_one_that_is_reviewed_is_refused(site: Path) -> None:
    """Of a directory Ansible reads every file."""
    assert "no bundle was named" in plainly("deploy", site, source=".").stderr
    (site / "more.yml").write_text("filae: {vars: {ansible_ssh_executable: /x}}\n")
    for done in (plainly("deploy", site, source="."), plainly("deploy", site, "-i", str(site / "more.yml"))):
        assert "one inventory is wanted, not " in done.stderr
        assert "more.yml" in done.stderr
        assert "TASK" not in done.stdout


SECRETS = {
    "another variable": "tls_mode: \"{{ lookup('pipe', 'touch MARK') }}\"",
    "a path": "app_secrets: {../../sudoers.d/x: y}",
}


@pytest.mark.parametrize("case", SECRETS)
def test_secrets_are_a_closed_list_of_texts(case: str, site: Path) -> None:
    """Refused on the controller, before anything connects; each other fault is a row of the writers' tests."""
    mark = site.parent / "mark"
    (site / "secrets.yml").write_text(f"# S3CRET\n{SECRETS[case]}\n".replace("MARK", str(mark)))
    (site / "secrets.yml").chmod(0o600)
    done = plainly("provision", site)
    assert "secrets.yml" in done.stderr
    assert "next: ansible-vault edit" in done.stderr or "next: correct it" in done.stderr
    assert "Measure the machine" not in done.stdout
    assert "S3CRET" not in done.stdout + done.stderr
    assert not mark.exists()


def test_a_secret_is_never_a_template(site: Path) -> None:
    mark = site.parent / "mark"
    secret = f"{{{{ lookup('pipe', 'touch {mark}') }}}} {{% S3CRET"
    (site / "secrets.yml").write_text(yaml.safe_dump({"tls_key": secret, "app_secrets": {"smtp": secret}}))
    (site / "secrets.yml").chmod(0o600)
    done = plainly("provision", site)
    assert "filae-ops: filae-demo: nothing listens for SSH" in done.stderr
    assert "S3CRET" not in done.stdout + done.stderr
    assert not mark.exists()
