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


argv = ["systemd-run", "--quiet", "--collect", "--unit=" + UNIT, "--description=" + sys.argv[1]]
argv += ["/usr/bin/tail", "--pid=%d" % session(), "--sleep-interval=0.5", "-f", "/dev/null"]
done = subprocess.run(argv, capture_output=True, text=True)
if done.returncode:
    shown = subprocess.run(["systemctl", "show", "--property=Description", "--value", UNIT], capture_output=True, text=True)
    sys.exit("the machine is busy: %s. Next: wait for it to end, then run the same command again" % shown.stdout.strip())
