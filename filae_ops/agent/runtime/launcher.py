"""The launcher of the units: reads what to run and with which environment, and is its init until it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle import contract as contracts
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.bundle.field_rules import env_name
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.host_name import is_host
from filae_ops.agent.system.json_file import read_json, refuse_value
from filae_ops.agent.system.layout import COLOURS, Layout
from filae_ops.agent.system.plain_text import one_line
from filae_ops.agent.system.versions import is_version

INIT = 1
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program
REST = 10  # seconds that processes have which the program left behind: only then its end is seen
PR_SET_DUMPABLE = 4  # of prctl(2)
DATABASE_URL = "postgresql:///filae?host=/run/postgresql"
FIXED = {"LANG": "C.UTF-8", "RAILS_ENV": "production", "RACK_ENV": "production", "DATABASE_URL": DATABASE_URL}
# What systemd and the agent hand over; nothing else of the environment goes through.
PASSED = (
    "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
    "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "PROBE_URL", "PROBE_SOCKET", "SSL_CERT_FILE",
)  # fmt: skip


def environment(
    contract: Contract,
    settings: Mapping[str, Any],
    release: Path,
    process: str,
    inherited: Mapping[str, str],
    home: str,
) -> dict[str, str]:
    """Return the whole environment of a process; the toolkit's own names win over the contract's."""
    fixed = constants(contract)
    env = {"SCHEMA": "/dev/null", **fixed} if process == "migrate" else dict(fixed)
    env |= declared_settings(contract, settings["settings"])
    env |= _secrets(contract, process, inherited.get("CREDENTIALS_DIRECTORY", ""))
    env |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "PUBLIC_HOST": settings["public_host"]}
    return env | FIXED | bundler(contract, release) | {k: inherited[k] for k in PASSED if k in inherited}


def placed_settings(layout: Layout) -> dict[str, Any]:
    """Read /etc/filae/settings.json: the public host, and the settings of the inventory."""
    path = layout.settings
    data = read_json(path)
    host, given = data.get("public_host"), data.get("settings", {})
    if not is_host(host):
        refuse_value(path, "public_host", host, "is neither a DNS name in lower case nor an address")
    if not isinstance(given, dict):
        refuse_value(path, "settings", given, "is not an object")
    for name, value in given.items():
        try:
            env_name(name)
        except ValueError as exc:
            refuse_value(path, "settings", name, str(exc))
        if not isinstance(value, str) or not one_line(value):
            refuse_value(path, f"settings.{name}", value, "is not a text of one line")
    return {"public_host": host, "settings": given}


def constants(contract: Contract) -> dict[str, str]:
    """Return what every command gets on every machine; a Gemfile that reads it is locked and loaded alike."""
    return {str(k): str(v) for k, v in contract.get("env").items()} | FIXED


def declared_settings(contract: Contract, given: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings that the contract names: the inventory's value, else the default."""
    found: dict[str, str] = {}
    for name, spec in contract.get("settings").items():
        value = given.get(name, (spec or {}).get("default"))
        if value is not None:
            found[name] = value
    return found


def missing_settings(contract: Contract, given: Mapping[str, Any]) -> list[str]:
    """Return the settings that have neither a value nor a default."""
    return sorted(set(contract.get("settings")) - set(declared_settings(contract, given)))


def program(command: list[str], release: Path) -> str:
    """Return the program of a command: a first word with a `/` is in the release, else in /usr/bin."""
    word = command[0]
    return str(release / word) if "/" in word else f"/usr/bin/{word}"


def version_of(layout: Layout, instance: str, inherited: Mapping[str, str]) -> str:
    """Return the version that an instance (`blue`, `worker-blue`) runs, or that RELEASE names."""
    colour = instance.rsplit("-", 1)[-1]
    if colour in COLOURS:
        path = layout.colour_file(colour)
        try:
            version = path.read_text().strip()
        except FileNotFoundError:
            raise Refused(f"{path} is absent: no release was started there", next_step="filaectl status") from None
    else:
        version = inherited.get("RELEASE", "")
    if not is_version(version):
        raise Refused(f"{version!r} is not a version: nothing says which release to run")
    return version


def run(layout: Layout, process: str, instance: str) -> int:
    """Run the release's command as the second process of the unit's namespace, of which this is the first."""
    if os.getpid() != INIT:
        raise Refused(
            "filaectl exec is the first process of a unit's own PID namespace, and here is none",
            next_step="systemctl cat 'filae-*' shows what takes PrivatePIDs=yes away",
        )
    # Not handled but blocked: a stop that comes before the program runs then waits for it. In Python a handler may
    # be called too late, after the program was started.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    release = layout.release(version_of(layout, instance, os.environ))
    contract = contracts.of_release(release)
    process = process or instance.rsplit("-", 1)[0]
    command = contract.command(process)
    settings = placed_settings(layout)
    env = environment(contract, settings, release, process, os.environ, str(layout.home))
    os.chdir(release)
    os.umask(0o027)
    _close_memory()
    if child := os.fork():
        return _status_of(child)
    path = program(command, release)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    try:
        os.execve(path, [path, *command[1:]], env | _own_pid(env))  # noqa: S606 - no shell is wanted
    except OSError as exc:
        raise Refused(f"{path} cannot be run: {exc.strerror}", next_step="correct the release's command") from exc


def _close_memory() -> None:
    """Keep the program, of the same user, from /proc/1/mem; its own is as usual again once it is executed."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _own_pid(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a process knows that systemd means it: the pid there is the machine's."""
    return {name: str(os.getpid()) for name in ("LISTEN_PID", "WATCHDOG_PID") if name in env}


def _status_of(child: int) -> int:
    """Reap what ends until the program does, then have the rest end as well; return the program's status.

    The kernel lets the first process of a namespace ignore what it does not handle; so systemd's signals, which
    each process of the unit gets, end the program, and this process only once the program has ended.
    """
    if signal.SIGTERM in signal.sigpending():
        os.kill(child, signal.SIGTERM)
    ended = 0
    while ended != child:
        ended, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    code = code if code >= 0 else BY_SIGNAL - code
    signal.signal(signal.SIGALRM, lambda *_: os._exit(code))
    signal.alarm(REST)
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(-1, signal.SIGTERM)
        while True:
            os.wait()
    return code


def bundler(contract: Contract, release: Path) -> dict[str, str]:
    """Return how Bundler finds a release's gems and changes nothing; no settings but these, of no user."""
    gemfile = release / "Gemfile"
    if not gemfile.is_file():
        return {}
    env = {
        "BUNDLE_GEMFILE": str(gemfile),
        "BUNDLE_FROZEN": "true",
        "BUNDLE_WITHOUT": "development:test",
        "BUNDLE_USER_HOME": "/tmp/bundle",  # noqa: S108 - the unit's own /tmp
        "BUNDLE_APP_CONFIG": "/tmp/bundle",  # noqa: S108
    }
    if contract.data.get("gems") == "vendored":
        env["BUNDLE_PATH"] = str(release / "vendor/bundle")
    return env


def _secrets(contract: Contract, process: str, directory: str) -> dict[str, str]:
    found = {}
    for name, spec in contract.secrets_for(process).items():
        if spec.get("env"):
            try:
                found[str(spec["env"])] = (Path(directory) / name).read_text().rstrip("\n")
            except OSError as exc:
                raise Refused(f"the credential {name} cannot be read: {exc.strerror}") from exc
    return found
