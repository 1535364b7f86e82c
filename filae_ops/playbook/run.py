"""Build and run ansible-playbook command lines: lists, no shell, no internals; progress and totals from events."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops.errors import INTERRUPTED
from filae_ops.paths import data_path

Event = dict[str, Any]
# Signals that end a run, each with the seconds that it has to obey.
STOP = ((signal.SIGINT, 3), (signal.SIGINT, 20), (signal.SIGTERM, 5), (signal.SIGKILL, 5))


@dataclass
class Outcome:
    """What a run did: counts over all machines, seconds, and the failures with their texts."""

    changed: int = 0
    tasks: int = 0
    failed: int = 0
    unreachable: int = 0
    seconds: float = 0.0
    status: int = 0
    failures: list[Event] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)
    stderr: str = ""
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether every task on every machine succeeded."""
        return self.status == 0 and not self.failed and not self.unreachable

    def document(self) -> dict[str, Any]:
        """Return the contract of `provision --json`."""
        return {
            "ok": self.ok, "changed": self.changed, "tasks": self.tasks, "failed": self.failed,
            "unreachable": self.unreachable, "seconds": round(self.seconds, 1),
        }  # fmt: skip


def playbook_argv(
    name: str,
    inventory: Path,
    extra: Mapping[str, object],
    *,
    check: bool = False,
    vault: Sequence[str] = (),
    verbose: bool = False,
) -> list[str]:
    """Return the exact command line of one playbook."""
    program = Path(sys.executable).parent / "ansible-playbook"
    argv = [str(program), "-i", str(inventory), str(data_path("playbooks", f"{name}.yml")), *vault]
    argv += ["-e", json.dumps(dict(extra))] if extra else []
    argv += ["--check", "--diff"] if check else []
    return [*argv, "-vv"] if verbose else argv


def playbook_env(control: Path) -> dict[str, str]:
    """Return the environment of a run: our configuration, our events, and connections that end with the run."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_") or "VAULT" in key}
    env |= {
        "ANSIBLE_CONFIG": str(data_path("ansible.cfg")),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).resolve().parent / "callbacks"),
        "ANSIBLE_STDOUT_CALLBACK": "filae_events",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_NOCOLOR": "1",
        "FILAE_CONTROL_DIR": str(control),
        "PYTHONUNBUFFERED": "1",
        # The caller's own locale may not exist here, and Ansible then refuses to start.
        "LC_ALL": "C.UTF-8",
    }
    return env


@contextlib.contextmanager
def control_dir() -> Iterator[Path]:
    """Give a private directory for shared connections, and end them afterwards: with them goes the lock."""
    # A socket's path is limited to 108 bytes, hence /tmp rather than $TMPDIR.
    directory = Path(tempfile.mkdtemp(prefix="filae-", dir="/tmp"))
    try:
        yield directory
    finally:
        for socket in directory.iterdir():
            argv = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "filae"]
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(argv, capture_output=True, timeout=5)
        shutil.rmtree(directory, ignore_errors=True)


def run_playbook(argv: Sequence[str], on_event: Callable[[Event], None]) -> Outcome:
    """Run one playbook to its end and return what it did; an interrupt ends it, and is told in the outcome."""
    outcome, start = Outcome(), time.monotonic()
    with control_dir() as control, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            argv, env=playbook_env(control), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            for line in process.stdout or ():
                _take(outcome, line, on_event)
            outcome.status = process.wait()
        except KeyboardInterrupt:
            _end(process)
            outcome.interrupted, outcome.status = True, INTERRUPTED
            outcome.changed = len(outcome.changes)
        except BaseException:
            _end(process)
            raise
        errors.seek(0)
        outcome.stderr = errors.read().strip()
    outcome.seconds = time.monotonic() - start
    return outcome


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt the run as a terminal would, then insist; a second interrupt insists at once.

    Python drops an interrupt that comes while it finalises an object: the run would go on. Ansible dies of the second.
    """
    for number, seconds in STOP:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(timeout=seconds)
            return


def _take(outcome: Outcome, line: str, on_event: Callable[[Event], None]) -> None:
    try:
        event: Event = json.loads(line)
    except ValueError:
        return
    if event.get("event") == "result":
        outcome.tasks += event["counted"] and event["status"] in ("ok", "failed")
        if event["status"] in ("failed", "unreachable"):
            outcome.failures.append(event)
        elif event["changed"]:
            outcome.changes.append(event)
    elif event.get("event") == "stats":
        for totals in event["hosts"].values():
            outcome.changed += totals["changed"]
            outcome.failed += totals["failures"]
            outcome.unreachable += totals["unreachable"]
    on_event(event)
