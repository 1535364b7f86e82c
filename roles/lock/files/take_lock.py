# Holds the transaction lock (the name of a transient unit) until the SSH session that runs this ends.
import os
import subprocess
import sys

UNIT = "filae-transaction.service"


def parent(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as handle:
        text = handle.read()
    return text[text.index("(") + 1 : text.rindex(")")], int(text.rsplit(")", 1)[1].split()[1])


def session():
    """Return the pid of the sshd process of this session: the nearest ancestor of that name."""
    pid = os.getppid()
    while pid > 1:
        name, above = parent(pid)
        if name.startswith("sshd"):
            return pid
        pid = above
    return os.getppid()


def show(name):
    return subprocess.run(
        ["systemctl", "show", "--value", "--property=" + name, UNIT], capture_output=True, text=True
    ).stdout.strip()


def take():
    argv = ["systemd-run", "--quiet", "--collect", "--unit=" + UNIT, "--description=" + sys.argv[1]]
    argv += ["/usr/bin/tail", "--pid=%d" % session(), "--sleep-interval=0.5", "-f", "/dev/null"]
    return subprocess.run(argv, capture_output=True, text=True)


done = take()
if done.returncode and show("ActiveState") in ("inactive", "failed"):
    # A dead transient unit may stay loaded for a while after a reload of systemd: its file goes, then its name is free.
    if os.path.exists("/run/systemd/transient/" + UNIT):
        os.unlink("/run/systemd/transient/" + UNIT)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    done = take()
if done.returncode:
    who = show("Description") or done.stderr.strip()
    print("the machine is being changed by: %s" % who, file=sys.stderr)
    print("  who acts: provider\n  next: wait for its end, then run the same command again", file=sys.stderr)
    sys.exit(1)
