# Installs what is missing in one apt transaction; prints `changed: NAME …`. Reads the names from its arguments.
# Not the apt module: that one needs python3-apt, which a bare machine lacks, and 1 s to say that nothing is missing.
import os
import subprocess
import sys

APPLY, NAMES = sys.argv[1] == "apply", sys.argv[2:]
LOCK_SECONDS = 120
# FILAE_OPS tells the next run's preflight, after an interrupt, that this apt is ours and worth waiting for.
ENVIRONMENT = {
    **os.environ, "FILAE_OPS": "provision", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
    "NEEDRESTART_SUSPEND": "1",
}  # fmt: skip


def installed():
    form = "${Package} ${db:Status-Status}\n"
    done = subprocess.run(["dpkg-query", "--show", "--showformat=" + form, *NAMES], capture_output=True, text=True)
    return {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}


def apt(*words):
    argv = ["apt-get", "--quiet", "--yes", "-o", "DPkg::Lock::Timeout=%d" % LOCK_SECONDS]
    argv += ["-o", "Dpkg::Options::=--force-confold", *words]
    done = subprocess.run(argv, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        sys.exit("%s: exit status %d\n%s" % (" ".join(argv), done.returncode, (done.stdout + done.stderr)[-2000:]))


missing = sorted(set(NAMES) - installed())
if missing:
    print("changed: " + " ".join(missing))
    if APPLY:
        apt("update")
        apt("install", "--no-install-recommends", *missing)
