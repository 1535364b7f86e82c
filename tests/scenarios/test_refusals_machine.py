"""Machines that are refused, unreachable or not who they should be: said in full, and left as they were."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sites import Site
from untouched import COMMANDS, ask_all, assert_no_go, assert_refused, edited, untouched

ROOT = Path(__file__).parents[2]
Changes = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Case:
    """What is wrong with a machine or with what is declared of it, and what the refusal says."""

    said: tuple[str, ...]
    owner: str = "dsi"
    do: str = "true"
    undo: str = "true"
    changes: Changes = field(default_factory=dict)
    measured: bool = True
    """Whether doctor sees it too."""


def listener(port: int) -> str:
    start = f"systemd-run --quiet --collect --unit=squatter python3 -m http.server {port}"
    return f"{start} && until ss -Hltn | grep -q ':{port} '; do sleep 0.1; done"


def locker(path: str) -> str:
    code = f"import fcntl, time; handle = open('{path}', 'r+'); fcntl.lockf(handle, fcntl.LOCK_EX); time.sleep(300)"
    held = f'grep -q ":$(stat -c %i {path}) " /proc/locks'
    return f'systemd-run --quiet --collect --unit=squatter python3 -c "{code}" && until {held}; do sleep 0.1; done'


def system(edit: str) -> str:
    return f"sed '{edit}' /usr/lib/os-release > /run/os-release && mv /run/os-release /etc/os-release"


STOP = "systemctl stop squatter.service"
RELEASE = "ln -sfn ../usr/lib/os-release /etc/os-release"
HOSTS = "hosts.yml"
MIRROR = "patching:\n  mirror: {url: http://gone.filae.test/debian, security_url: http://gone.filae.test/security}"

CASES = {
    "Debian 11": Case(
        ("system: debian 11 (wanted: debian 13)",), do=system("s/13/11/"), undo=RELEASE),
    "an unknown distribution": Case(
        ("system: plan9 13",), do=system("s/^ID=.*/ID=plan9/"), undo=RELEASE),
    "less memory, disk and processors than declared": Case(
        ("memory: ", "(declared: 999999, at least 899999)", "disk: ", "(declared: 999)", "processors: ",
         "(declared: 250)", "3 reasons to stop"),
        changes={HOSTS: (r"cpus: \d+((?s:.*?))memory_mib: \d+((?s:.*?))disk_gib: \d+",
                         r"cpus: 250\1memory_mib: 999999\2disk_gib: 999")}),
    "less memory than anything could run in": Case(
        ("memory: 683 MiB (declared: 700, at least 1024)",),
        do="sed 's/^MemTotal.*/MemTotal: 700000 kB/' /proc/meminfo > /run/mem && mount --bind /run/mem /proc/meminfo",
        undo="umount /proc/meminfo && rm /run/mem", changes={HOSTS: (r"memory_mib: \d+", "memory_mib: 700")}),
    "a disk that is nearly full": Case(
        ("free disk: 1.", "(at least 3)"), do="fallocate -l 17G /var/full", undo="rm /var/full"),
    "port 443 taken": Case(("port 443 is taken by python3 (0.0.0.0:443)",), do=listener(443), undo=STOP),
    "port 80 taken": Case(("port 80 is taken by python3 (0.0.0.0:80)",), do=listener(80), undo=STOP),
    "a proxy that is not there": Case(
        ("package mirrors that do not answer: http", "Connection refused"),
        changes={"flows.yml": (r"proxy: (http://[\d.]+):\d+", r"proxy: \1:9")}),
    "a mirror that is not there": Case(
        ("http://gone.filae.test/debian",), changes={"patching.yml": ("^patching:", MIRROR)}),
    "dpkg locked": Case(
        ("dpkg is locked: /var/lib/dpkg/lock-frontend is held by process", "python3 -c import fcntl"), "provider",
        do=locker("/var/lib/dpkg/lock-frontend"), undo=STOP),
    "dpkg locked, the old way": Case(
        ("/var/lib/dpkg/lock is held by process",), "provider", do=locker("/var/lib/dpkg/lock"), undo=STOP),
    "the operator is not in the inventory": Case(
        ("lab is none of martin",), "provider", changes={"access.yml": ("- name: lab$", "- name: martin")},
        measured=False),
}  # fmt: skip


@contextlib.contextmanager
def situation(site: Site, case: Case) -> Iterator[None]:
    """Bring it about, and take it away whatever happens."""
    done = site.run(case.do)
    try:
        assert done.returncode == 0, done.stderr
        with untouched(site):
            yield
    finally:
        assert site.run(case.undo).returncode == 0


@pytest.mark.parametrize("name", CASES)
def test_a_machine_is_refused_before_anything_is_touched(name: str, bare: Site, tmp_path: Path) -> None:
    case = CASES[name]
    inventory = edited(bare, tmp_path, case.changes)
    with situation(bare, case):
        provision, doctor = ask_all(inventory, COMMANDS[0], COMMANDS[-1])
    assert_refused(provision, *case.said, owner=case.owner)
    if case.measured:
        assert_no_go(doctor, *(words for words in case.said if "reasons" not in words), owner=case.owner)


OTHER_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGkT5TsEQlf/6vcXI0ZPZyjDuDntT9LqqhmJkF2jrU7k"
OTHER_KIND = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBrQfH34qRaFqhRp+8DTzhg0mqUmmp7q7Ejd7ymYDM"
    "qb9gLN0Lkuw0j0NR9tb9buIuTgXYUSE/dWXVh5LikL7DY="
)
CHANGED = {HOSTS: ("(host_key: ssh-ed25519) .*", rf"\1 {OTHER_KEY}")}
REACH = {
    "no machine at this address": Case(
        ("251",), changes={HOSTS: (r"(ansible_host: .*)\.\d+", r"\1.251")}),
    "nothing listens": Case(
        ("22222",), changes={HOSTS: ("(ansible_user: .*)", r"\1\n      ansible_port: 22222")}),
    "a name that does not resolve": Case(
        ("nowhere.invalid",), changes={HOSTS: ("(ansible_host): .*", r"\1: nowhere.invalid")}),
    "an account that is not there": Case(
        ("stranger",), "provider", changes={HOSTS: ("(ansible_user): .*", r"\1: stranger")}),
    "a changed host key": Case(
        ("is not the `host_key` of the inventory", "the machine's console"), changes=CHANGED),
    "a host key of a kind that the machine lacks": Case(
        ("host", "the machine's console"), changes={HOSTS: ("host_key: .*", f"host_key: {OTHER_KIND}")}),
}  # fmt: skip


@pytest.mark.parametrize("name", REACH)
def test_a_machine_that_cannot_be_entered(name: str, bare: Site, tmp_path: Path) -> None:
    case = REACH[name]
    *others, doctor = ask_all(edited(bare, tmp_path, case.changes), *COMMANDS)
    for done in others:
        assert_refused(done, f"{bare.machine.name}: ", *case.said, owner=case.owner)
    assert_no_go(doctor, *case.said, owner=case.owner)


@pytest.mark.parametrize(
    "changes",
    [CHANGED, {HOSTS: (r"\n *host_key: .*", "")}, {HOSTS: ("host_key: .*", "host_key: ''")}],
    ids=["changed", "absent", "empty"],
)
def test_a_host_key_is_pinned_under_plain_ansible(changes: Changes, bare: Site, tmp_path: Path) -> None:
    inventory = edited(bare, tmp_path, changes)
    with untouched(bare):
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, "playbooks/provision.yml"],
            cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    assert done.returncode != 0
    console = "cat /etc/ssh/ssh_host_ed25519_key.pub"
    for words in (bare.machine.name, "host_key", "who acts: ", console):
        assert words in done.stderr


def test_a_host_key_that_is_no_key(bare: Site, tmp_path: Path) -> None:
    broken = OTHER_KIND.replace("likL7DY=", "likL7DA=")  # of the right form, and not a point of the curve
    inventory = edited(bare, tmp_path, {HOSTS: ("host_key: .*", f"host_key: {broken}")})
    *others, doctor = ask_all(inventory, *COMMANDS)
    for done in others:
        assert_refused(done, "host", "the machine's console", owner="dsi")
    assert_no_go(doctor, "host", "the machine's console", owner="dsi")


def test_an_account_without_sudo(bare: Site, tmp_path: Path) -> None:
    keys = "cp -r /home/lab/.ssh /home/plain/ && chown -R plain: /home/plain/.ssh"
    case = Case((), do=f"useradd --create-home plain && {keys}", undo="userdel --force --remove plain 2>/dev/null")
    inventory = edited(bare, tmp_path, {HOSTS: ("(ansible_user): .*", r"\1: plain")})
    bundle = tmp_path / "filae-9.9.9.tar.zst"
    for path in (bundle, Path(f"{bundle}.sig")):
        path.write_text("not looked at")
    with situation(bare, case):
        *others, doctor = ask_all(inventory, COMMANDS[0], ("deploy", "--json", str(bundle)), *COMMANDS[2:])
    for done in others:
        assert_refused(done, f"{bare.machine.name}: ", "sudo")
    assert_no_go(doctor, "sudo", owner="dsi")
