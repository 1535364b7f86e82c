"""Secrets where they must not be. They are compared on the machine: only names and places leave it."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH118, PTH119, PTH123, PTH207

from __future__ import annotations

import contextlib
import glob
import os
import re
import select
import stat
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from filae_ops.facts.gathering import Expected, open_plain, part

SHORTEST = 8
READING_S = 6.0
# The system's, and the application's own.
JOURNALS = {"the journal": "", "the application's journal": "filae"}
ARGUMENTS = 1 << 20
# Several users write below the first: links there are not followed, and only regular files are opened.
LOGS = {
    "/var/log": r".*\.(log|journal)|(syslog|messages).*",
    "/run/log/journal": r".*\.journal",
    "/var/lib/filae-ops": r"journal\.jsonl",
    "/var/lib/filae-ops/transactions": r".*",
}
READABLE = (
    "/etc/filae",
    "/etc/systemd/system",
    "/etc/nginx",
    "/opt/filae/releases",
    "/srv/filae",
    "/run/credentials",
    "/var/lib/filae-ops",
)
SMALL = 1 << 20


def needles() -> dict[str, bytes]:
    """Return what to look for, by name: each secret, and a line of each private key's body."""
    found = {}
    for path in glob.glob("/etc/filae/secrets/*") + glob.glob("/etc/filae/tls/**/*key*", recursive=True):
        with contextlib.suppress(OSError):
            data = Path(path).read_bytes().strip()
            lines = [line for line in data.splitlines() if line and not line.startswith(b"-----")]
            text = lines[len(lines) // 2] if data.startswith(b"-----") and lines else data
            if len(text) >= SHORTEST:
                found[os.path.basename(path)] = text
    return found


@part
def leaks(_: Expected) -> dict[str, Any]:
    """Return where a secret was written to a log, or shows in a command line."""
    wanted, limit = needles(), time.monotonic() + READING_S
    with ThreadPoolExecutor(len(JOURNALS)) as pool:
        reading = {title: pool.submit(_in_journal, name, wanted, limit) for title, name in JOURNALS.items()}
        searched = {path: _in_file(path, wanted, limit) for path in sorted(set(_logs()), key=_newest)}
        searched |= {title: future.result() for title, future in reading.items()}
    found = {f"{name} in {place}" for place, (names, _) in searched.items() for name in names}
    unread = [place for place, (_, whole) in searched.items() if not whole]
    shown = {
        f"{name} in the command line of process {pid}"
        for pid, text in _processes()
        for name, value in wanted.items()
        if value in text
    }
    return {"secrets": len(wanted), "logs": sorted(found), "processes": sorted(shown), "unread": unread[-5:]}


def _logs() -> Iterator[str]:
    for top, pattern in LOGS.items():
        for directory, _, names in os.walk(os.path.realpath(top)):
            yield from (os.path.join(directory, name) for name in names if re.fullmatch(pattern, name))


def _newest(path: str) -> float:
    try:
        return -os.lstat(path).st_mtime
    except OSError:
        return 0.0


def _in_file(path: str, wanted: dict[str, bytes], limit: float) -> tuple[set[str], bool]:
    """Return which secrets a file holds, and whether all of it was read in time; what is no file holds none."""
    found: set[str] = set()
    with contextlib.suppress(OSError), open_plain(path) as stream:
        tail = b""
        while time.monotonic() < limit:
            if not (block := stream.read(SMALL)):
                return found, True
            text = tail + block
            found |= {name for name, value in wanted.items() if value in text}
            tail = block[-4096:]
        return found, False
    return found, True


def _in_journal(namespace: str, wanted: dict[str, bytes], limit: float) -> tuple[set[str], bool]:
    """Search a journal as text, the newest first, since journald compresses long entries; tell whether to its end."""
    argv = ["journalctl", f"--namespace={namespace}", "--reverse", "--output=cat", "--all", "--no-pager", "--quiet"]
    found: set[str] = set()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        tail, block = b"", b"-"
        while block and select.select([process.stdout], [], [], max(0.0, limit - time.monotonic()))[0]:
            block = os.read(process.stdout.fileno(), SMALL)
            text = tail + block
            found |= {name for name, value in wanted.items() if value in text}
            tail = text[-4096:]
        whole = not block and process.wait() == 0
        process.kill()
    return found, whole


def _processes() -> Iterator[tuple[str, bytes]]:
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError), open(path, "rb") as stream:
            yield path.split("/")[2], stream.read(ARGUMENTS)


@part
def exposed(_: Expected) -> list[str]:
    """Return the files that others may read and that hold a secret."""
    wanted = needles()
    found = []
    for path in _small_readable():
        with contextlib.suppress(OSError):
            with open_plain(path) as stream:
                text = stream.read(SMALL)
            found += [f"{name} in {path}" for name, value in wanted.items() if value in text]
    return sorted(set(found))


def _small_readable() -> Iterator[str]:
    for top in READABLE:
        for directory, _, names in os.walk(os.path.realpath(top)):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    about = os.lstat(path)
                except OSError:  # it has just gone
                    continue
                if (
                    stat.S_ISREG(about.st_mode)
                    and about.st_mode & stat.S_IROTH
                    and about.st_size < SMALL
                    and not _code(name)
                ):
                    yield path


def _code(name: str) -> bool:
    return bool(re.search(r"\.(rb|js|mjs|css|html|png|svg|jpg|woff2?|map|gz|br)$", name))
