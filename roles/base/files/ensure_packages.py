# Installs what is missing in one apt transaction; prints `changed: NAME …`. Reads the names from its arguments.
# Not the apt module: that one needs python3-apt, which a bare machine lacks, and 1 s to say that nothing is missing.
import contextlib
import os
import subprocess
import sys
import time

APPLY, NAMES = sys.argv[1] == "apply", sys.argv[2:]
LOCK_SECONDS = 120
# apt waits for dpkg's lock, and not for its own, which its daily job takes when a machine has just booted.
BUSY = "Unable to lock directory"
# FILAE_OPS tells the next run's preflight, after an interrupt, that this apt is ours and worth waiting for; and the
# policy below that what it installs is to start once it is configured: see ensure_services.py.
ENVIRONMENT = {
    **os.environ, "FILAE_OPS": "provision", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
    "NEEDRESTART_SUSPEND": "1",
}  # fmt: skip
POLICY = "/usr/sbin/policy-rc.d"
# Left behind by a run that was killed, it stops nobody else's packages from starting.
HOLD = """#!/bin/sh
# filae-ops: services that its own provisioning installs start once they are configured.
[ "$FILAE_OPS" = provision ] && [ "$2" = start ] || exit 0
echo "$1" >>/run/filae-held
exit 101
"""


def installed():
    form = "${Package} ${db:Status-Status}\n"
    done = subprocess.run(["dpkg-query", "--show", "--showformat=" + form, *NAMES], capture_output=True, text=True)
    return {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}


def hold():
    if not os.path.lexists(POLICY):
        with os.fdopen(os.open(POLICY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "w") as stream:
            stream.write(HOLD)


def release():
    """Remove the policy, also one that a killed run left; a machine that has its own keeps it."""
    with contextlib.suppress(FileNotFoundError), open(POLICY) as stream:
        if stream.read() == HOLD:
            os.unlink(POLICY)


def apt(*words):
    argv = ["apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=%d" % LOCK_SECONDS]
    argv += ["-o", "Dpkg::Options::=--force-confold", *words]
    limit = time.monotonic() + LOCK_SECONDS
    done = subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT)
    while BUSY in done.stderr and time.monotonic() < limit:
        time.sleep(1)
        done = subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        release()
        sys.exit("%s: exit status %d\n%s" % (" ".join(argv), done.returncode, (done.stdout + done.stderr)[-2000:]))


missing = sorted(set(NAMES) - installed())
if missing:
    print("changed: " + " ".join(missing))
    if APPLY:
        apt("update", "-o", "Acquire::Languages=none")  # nobody reads descriptions here
        hold()
        apt("install", "--no-install-recommends", *missing)
if APPLY:
    release()
