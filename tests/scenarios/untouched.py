"""Prove that a refusal changed nothing, and that it says what a person needs."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sites import Site, run_ops

BUNDLE = "/nowhere/filae-9.9.9.tar.zst"
COMMANDS = (("provision", "--json"), ("deploy", "--json", BUNDLE), ("verify", "--json"), ("doctor", "--json"))
Done = subprocess.CompletedProcess[str]

PLACES = "/etc /opt/filae /srv/filae /usr/local /var/lib/filae-ops"
# What a refused bundle may leave: the agent forgets it by itself.
EXCEPT = "-path /var/lib/filae-ops/incoming -prune -o"
# What runs of itself, whoever looks; its timer stays, and says whether it runs.
AT_TIMES = "filae-(transaction|refresh[.]service)"
PICTURE = f"""
find {PLACES} -xdev {EXCEPT} -printf '%p %y %m %u:%g %s %T@ %l\\n' 2>/dev/null | sort
find /etc/filae /etc/nginx /etc/ssh /etc/systemd /etc/apt -xdev -type f -exec sha256sum {{}} + 2>/dev/null | sort
dpkg-query -W -f '${{Package}} ${{Version}} ${{db:Status-Status}}\\n'
systemctl list-units --all --plain --no-legend 'filae*' 'nginx*' 'postgresql*' 'ssh*' |
  grep -Ev '{AT_TIMES}' | sed -E '/^filae-refresh.timer/s/ (running|waiting) / /; s/ +/ /g' | sort
systemctl show --property=MainPID nginx.service filae-web@blue.service filae-web@green.service ssh.service
nft -s list ruleset 2>/dev/null
"""


def picture(site: Site) -> list[str]:
    """Return everything that a refusal must leave alone: files, packages, services, rules."""
    done = site.run(PICTURE)
    assert len(done.stdout) > 1000, done.stderr
    return done.stdout.splitlines()


@contextlib.contextmanager
def untouched(site: Site) -> Iterator[None]:
    """Fail unless the machine is the same after as before."""
    before = picture(site)
    yield
    after = picture(site)
    assert after == before, "\n".join(difflib.unified_diff(before, after, "before", "after", lineterm="", n=0))


def assert_refused(done: Done, *values: str, status: int = 1, owner: str = "") -> None:
    """Check exit status, message, owner, next step and the purity of stdout."""
    said = f"status {done.returncode}\n--- stderr\n{done.stderr}\n--- stdout\n{done.stdout[-2000:]}"
    assert done.returncode == status, said
    assert "Traceback" not in done.stderr, said
    for value in values:
        assert value in done.stderr, f"{value!r} is not in:\n{said}"
    assert f"who acts: {owner}" in done.stderr, said
    assert "next: " in done.stderr, said
    if done.stdout.strip():
        assert json.loads(done.stdout)["ok"] is False, said


def assert_no_go(done: Done, *values: str, owner: str = "") -> None:
    """Check that doctor says no-go, with these words in the lines that say it, each with an owner and a step."""
    said = f"status {done.returncode}\n--- stderr\n{done.stderr}\n--- stdout\n{done.stdout[-4000:]}"
    assert done.returncode == 1, said
    assert "Traceback" not in done.stderr, said
    document = json.loads(done.stdout)
    assert document["ok"] is False
    red = [line for line in document["lines"] if line["status"] == "no-go"]
    text = "\n".join(line["message"] + line["next"] for line in red)
    for value in values:
        assert value in text, f"{value!r} is not in:\n{said}"
    assert all(line["next"] for line in red), said
    assert not owner or {line["owner"] for line in red} == {owner}, said


def ask_all(inventory: Path | None, *commands: tuple[str, ...]) -> list[Done]:
    """Run commands side by side on an inventory."""
    first = ("-i", str(inventory)) if inventory else ()
    env = {"FILAE_INVENTORY": ""}
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda words: run_ops(*first, *words, env=env), commands))


def edited(site: Site, directory: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """Return a copy of a machine's inventory with one pattern replaced in each named file."""
    copy = directory / "inventory"
    shutil.copytree(site.inventory.parent, copy)
    for name, (pattern, replacement) in changes.items():
        path = copy / name if name == "hosts.yml" else copy / "group_vars" / "all" / name
        text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.M)
        assert count == 1, f"{pattern!r} is not in {path}"
        path.write_text(text)
    return copy / "hosts.yml"
