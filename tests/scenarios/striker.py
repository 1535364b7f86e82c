"""Runs on the machine, as root: does an operation and strikes its transaction in a step, then says what is left.

    strike STEP SECONDS HOW COMMAND...   HOW: kill | stop | reboot; SECONDS after the step has begun
    settled                              wait until what was struck has ended and nobody is at work
    done COMMAND...                      do an operation that nobody strikes

The last two print what is left, as one JSON object.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

JOURNAL = Path("/var/lib/filae-ops/journal.jsonl")
OFFSET = Path("/root/.struck")
WORKING = ("filae-transaction.service", "filae-recoverer.service", "filae-recover.service")
PROCESSES = Path("/sys/fs/cgroup/system.slice", WORKING[0], "cgroup.procs")
ENDS = ("committed", "rolled-back", "gave-up", "refused")
LIMIT = 180


def events(offset=0):
    """Return the whole lines of the journal after an offset."""
    with JOURNAL.open("rb") as stream:
        stream.seek(offset)
        lines = stream.read().split(b"\n")[:-1]
    return [json.loads(line) for line in lines if line.strip()]


def shown(unit, name):
    return output("systemctl", "show", "--value", f"--property={name}", unit).strip()


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def begin(command):
    """Start an operation; remember where its events begin in the journal, also across a reboot."""
    OFFSET.write_text(str(JOURNAL.stat().st_size))
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main_process():
    """Return the transaction's first process, or None: asking systemd for it takes longer than some steps."""
    with contextlib.suppress(OSError):
        return min(map(int, PROCESSES.read_text().split()), default=None)


def process_in(step, ended):
    """Wait until the journal announces a step; return the transaction's process, or None when it went by."""
    offset, size, limit = int(OFFSET.read_text()), 0, time.monotonic() + LIMIT
    announced = re.compile(f'"event": "(?:step", "tx": "[^"]+", "step": "{step}"|{"|".join(ENDS)}")'.encode())
    # Some steps last a millisecond: nothing else on the machine may keep us from seeing them.
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    with JOURNAL.open("rb") as stream:
        while time.monotonic() < limit:
            if (now := os.fstat(stream.fileno()).st_size) != size:
                size = now
                stream.seek(offset)
                if announced.search(stream.read()):
                    return main_process()
            elif ended():
                return None
            time.sleep(0.0002)
    return None


def strike(step, seconds, how, *command):
    process = begin(command)
    pid = process_in(step, lambda: process.poll() is not None)
    time.sleep(float(seconds))
    if pid is None:
        print(f"{step} was not struck: {process.communicate(timeout=LIMIT)[0].decode()[-2000:]}")
    elif how == "reboot":
        subprocess.run(["systemctl", "reboot"], check=True)
    else:
        with contextlib.suppress(ProcessLookupError):  # it has ended: the journal tells that nothing was struck
            os.kill(pid, signal.SIGKILL if how == "kill" else signal.SIGSTOP)


def settled():
    """Wait until a transaction has ended and nobody is at work; say what is left."""
    begun, offset = time.monotonic(), int(OFFSET.read_text())
    while True:
        seen = events(offset)
        working = [unit for unit in WORKING if shown(unit, "ActiveState") not in ("inactive", "failed", "")]
        if not working and any(event["event"] in ENDS for event in seen):
            return {"waited": time.monotonic() - begun, "events": seen, **left()}
        if time.monotonic() > begun + LIMIT:
            raise SystemExit(f"it has not ended: {working} {json.dumps(seen[-5:])}")
        time.sleep(0.02)


def done(*command):
    process = begin(command)
    said = process.communicate(timeout=LIMIT)[0].decode()
    if process.returncode != 0:
        raise SystemExit(said)
    return settled()


def left():
    """Return what runs and what lies there."""
    listed = ["systemctl", "list-units", "--plain", "--no-legend", "--full"]
    active = output(*listed, "--state=active,activating", "filae-w*", "filae-run*")
    failed = output(*listed, "--state=failed")
    etc, state, opt = Path("/etc/filae/colours"), Path("/var/lib/filae-ops"), Path("/opt/filae")
    return {
        "active": sorted(line.split()[0] for line in active.splitlines()),
        "enabled": sorted(p.name for p in Path("/etc/systemd/system/filae.target.wants").iterdir()),
        "failed": [line.split()[0] for line in failed.splitlines()],
        "status": json.loads(output("filaectl", "status", "--json")),
        "colours": {path.name: path.read_text().strip() for path in etc.iterdir()},
        "current": str((opt / "current").readlink()),
        "releases": sorted(path.name for path in (opt / "releases").iterdir()),
        "leftovers": sorted(path.name for path in (state / "transactions").iterdir()),
    }


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what == "strike":
        strike(*words)
    else:
        print(json.dumps(done(*words) if what == "done" else settled()))
