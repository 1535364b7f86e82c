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

from filae_ops.errors import OpsError
from filae_ops.paths import PACKAGE, data_path

Event = dict[str, Any]
STOP_SECONDS = 20


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
    env = {
        key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_") or "VAULT" in key
    }
    env |= {
        "ANSIBLE_CONFIG": str(data_path("ansible.cfg")),
        "ANSIBLE_CALLBACK_PLUGINS": str(PACKAGE / "callbacks"),
        "ANSIBLE_STDOUT_CALLBACK": "filae_events",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_NOCOLOR": "1",
        "FILAE_CONTROL_DIR": str(control),
        "PYTHONUNBUFFERED": "1",
    }
    if not env.get("LC_ALL", env.get("LANG", "")).lower().endswith(("utf-8", "utf8")):
        env["LC_ALL"] = "C.UTF-8"
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
    """Run one playbook to its end and return what it did; an interrupt reaches it before it reaches us."""
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
        except BaseException:
            _end(process)
            raise
        errors.seek(0)
        outcome.stderr = errors.read().strip()
    outcome.seconds = time.monotonic() - start
    return outcome


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt the run as a terminal would, then insist: a half-run task ends before we do."""
    for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
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


def refusal(outcome: Outcome, inventory: Path) -> OpsError:
    """Turn a failed run into what a person can act on."""
    if not outcome.failures:
        return OpsError(
            _startup(outcome.stderr), next_step=f"check {inventory}, then run the same command again"
        )
    first = outcome.failures[0]
    text, host = first.get("message", ""), first["host"]
    for sign, message, owner, step in KNOWN:
        if sign in text:
            return OpsError(f"{host}: {message.format(text=_last(text))}", owner=owner, next_step=step)  # type: ignore[arg-type]
    step = "run the same command again once it is mended: finished tasks change nothing"
    return OpsError(f"{host}: {first['task']}: {text}", next_step=step)


def _last(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def _startup(stderr: str) -> str:
    for sign, message in (
        ("Decryption failed", "secrets.yml: the vault password is wrong"),
        (
            "Attempting to decrypt but no vault secrets found",
            "secrets.yml is encrypted and no vault password was given",
        ),
    ):
        if sign in stderr:
            return f"{message} (--vault-password-file FILE, or $ANSIBLE_VAULT_PASSWORD_FILE)"
    return "ansible-playbook stopped before its first task:\n  " + "\n  ".join(stderr.splitlines()[-6:])


KNOWN = (
    ("Host key verification failed", "the machine's SSH host key is not the `host_key` of the inventory", "dsi",
     "read the key at the machine's console: cat /etc/ssh/ssh_host_ed25519_key.pub; correct hosts.yml only if the DSI confirms the change"),
    ("Permission denied (", "the machine refuses this account or key ({text})", "provider",
     "check --user, --key and the key's end date; at first contact give --bootstrap-user"),
    ("a password is required", "the account has no sudo without a password", "dsi",
     "let the first account use sudo without a password (NOPASSWD) until the first provisioning has ended"),
    ("Missing sudo password", "the account has no sudo without a password", "dsi",
     "let the first account use sudo without a password (NOPASSWD) until the first provisioning has ended"),
    ("is not in the sudoers file", "the account has no sudo at all", "dsi", "give the first account sudo without a password"),
    ("may not run sudo", "the account has no sudo at all", "dsi", "give the first account sudo without a password"),
    ("sudo: command not found", "the machine has no sudo", "dsi", "as root on the machine: apt-get install sudo"),
    ("Connection timed out", "no answer on SSH ({text})", "dsi", "open TCP 22 from the administration network, check that the machine is on"),
    ("No route to host", "no route to the machine ({text})", "dsi", "check the machine's address, and that it is on"),
    ("Connection refused", "nothing listens for SSH ({text})", "dsi", "start sshd on the machine, check the port"),
    ("Could not resolve hostname", "its name does not resolve ({text})", "dsi", "correct ansible_host, or create the DNS record"),
)  # fmt: skip
