# Has the services of the machine run and start with it; prints `changed: …` for each change. Names in the arguments.
# A role's handlers act on what it changed; this on what others did: a service stopped, disabled or masked by hand.
import contextlib
import os
import subprocess
import sys

APPLY, NAMES = sys.argv[1] == "apply", sys.argv[2:]
HELD = "/run/filae-held"  # what the packages would have started: see ensure_packages.py
PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState")


def systemctl(*words):
    return subprocess.run(["systemctl", *words], capture_output=True, text=True)


def states():
    shown = systemctl("show", "--property=" + ",".join(PROPERTIES), *NAMES).stdout
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in shown.split("\n\n") if block.strip()]


def change(unit, what, *words):
    print("changed: %s %s" % (unit, what))
    if APPLY:
        done = systemctl(*words, unit)
        if done.returncode:
            sys.exit(
                "%s cannot be %s: %s\n  who acts: provider\n  next: on the machine: journalctl -n 50 -u %s"
                % (unit, what, done.stderr.strip()[-400:], unit)
            )


for state in states():
    unit = state["Id"]
    if state["LoadState"] == "masked":
        change(unit, "unmasked", "unmask", "--quiet")
    if state["UnitFileState"] in ("disabled", "masked"):
        change(unit, "enabled", "enable", "--quiet")
    if state["ActiveState"] not in ("active", "activating", "reloading"):
        change(unit, "started", "start")
with contextlib.suppress(FileNotFoundError), open(HELD) as stream:
    units = stream.read().split()
    if APPLY:
        # As in a package's own script, a unit that does not start stops nothing here. Of several units that a package
        # starts together, only the first is asked for: the timers come by their target.
        systemctl("start", *units, "timers.target")
        os.unlink(HELD)
