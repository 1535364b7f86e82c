"""Where the processes of the application can write: tried in their own mount namespace, and nothing is left there."""

from __future__ import annotations

import json
import sys

from filae_ops.facts.gathering import Expected, Unmeasured, command, part

# Where an application that was taken over would write: to be run as root, or to stay.
CLOSED = (
    "/", "/boot", "/dev/shm", "/etc", "/etc/filae", "/etc/nginx", "/etc/systemd/system", "/home",  # noqa: S108
    "/opt/filae/releases", "/root", "/run", "/run/filae", "/run/filae-ops", "/run/systemd/system", "/srv/filae",
    "/srv/filae/files", "/usr", "/usr/local/sbin", "/var", "/var/cache/filae", "/var/lib", "/var/lib/filae-ops",
    "/var/log", "/var/log/nginx", "/var/www",
)  # fmt: skip
# Each unit has one of its own, so that a write which succeeds shows that writes are seen.
PRIVATE = "/tmp"  # noqa: S108
# As root with all its rights, only a mount that is read-only refuses. In a process of its own: a thread has no mount
# namespace of its own, and each child enters that of one process. An unnamed file never has a name.
SCRIPT = """
import errno, json, os, sys
def attempt(place):
    try:
        os.close(os.open(place, os.O_TMPFILE | os.O_WRONLY, 0o600))
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR):
            return "written" if os.access(place, os.W_OK) else "EROFS"
        return errno.errorcode.get(error.errno, str(error.errno))
    return "written"
def answers(pid, places):
    os.setns(os.pidfd_open(pid), os.CLONE_NEWNS)
    return {place: attempt(place) for place in places}
tried = {}
for unit, (pid, places) in json.loads(sys.argv[1]).items():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = answers(pid, places)
        except OSError as error:
            answer = str(error)
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        tried[unit] = json.loads(stream.read())
    os.waitpid(child, 0)
print(json.dumps(tried))
"""


@part
def writes(_: Expected) -> dict[str, dict[str, str]]:
    """Return, by running unit of the application, what came of a write in each of these places and in its own."""
    asked = {unit: (pid, [*CLOSED, PRIVATE, *paths]) for unit, (pid, paths) in _running().items()}
    tried = json.loads(command(sys.executable or "/usr/bin/python3", "-c", SCRIPT, json.dumps(asked), seconds=20))
    if failed := [f"{unit}: {answers}" for unit, answers in tried.items() if isinstance(answers, str)]:
        raise Unmeasured(f"the mounts of a process cannot be entered: {'; '.join(failed)}")
    return dict(tried)


def _running() -> dict[str, tuple[int, list[str]]]:
    """Return the main process of each running unit, and the paths that its unit opens to it."""
    names = ("filae-web@*.service", "filae-worker@*.service")
    blocks = command("systemctl", "show", "--property=Id,MainPID,ReadWritePaths", *names).split("\n\n")
    shown = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    return {
        unit["Id"]: (int(unit["MainPID"]), [path.lstrip("-+") for path in unit["ReadWritePaths"].split()])
        for unit in shown
        if unit.get("MainPID", "0") != "0"
    }
