"""Command lines and text for systemd: the sandbox, one-off commands, the drop-ins of a release.

All that systemd reads of us is written here, and refused where systemd would read something else in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from filae_ops.agent.bundle import field_rules
from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.bundle.contract_rules import REBUILD
from filae_ops.agent.system.layout import AGENT, LOGS, RECOVER, RECOVERER, SLICE, TRANSACTION, Layout
from filae_ops.agent.system.plain_text import one_line
from filae_ops.agent.system.process import Failed

# The same lines stand in the unit templates of roles/app; a test compares them. MemoryDenyWriteExecute is
# left out: Rails 7.2 switches Ruby's just-in-time compiler on, and libffi needs it too. The network is there
# for the mail relay; nftables says where to.
SANDBOX = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ReadOnlyPaths=/dev/shm",  # PrivateDevices= leaves the host's as it is
    # Sockets of the system are ways to others' logs and services; what finds names is bound where there is one.
    "TemporaryFileSystem=/run:ro",
    "BindReadOnlyPaths=/run/postgresql -/run/systemd/resolve -/run/resolvconf -/run/NetworkManager",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "PrivateUsers=yes",
    "PrivatePIDs=yes",  # no process of another unit is seen or signalled
    "PrivateIPC=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "UMask=0027",
    f"LogNamespace={LOGS}",
    f"Slice={SLICE}",
    "MemoryMax=60%",
    "TasksMax=1024",
    "LimitNOFILE=16384",
    "LimitCORE=0",  # a dump of the memory holds patients' data and secrets
)


# No line break, no tab, and nothing that systemd expands (% before a letter, $), quotes, escapes or joins lines by.
_VALUE = re.compile(r"[\w@.+~:/*,= -]*|[0-9]{1,2}%")
_SETTING = re.compile(r"[A-Z][A-Za-z]*")
_PATH = re.compile(r"(?:/[A-Za-z0-9@._+:-]+)+", re.ASCII)
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
_RUN = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)
_TX = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


def setting(name: str, value: str) -> str:
    """Return one line of a unit: a setting and its one value."""
    if not _SETTING.fullmatch(name) or not _VALUE.fullmatch(value):
        raise _unfit(f"the setting {name[:40]!r}", value)
    return f"{name}={value}"


def path(place: Path) -> str:
    """Return an absolute path that is one item of a unit's list of paths."""
    text = str(place)
    if not _PATH.fullmatch(text) or ".." in place.parts:
        raise _unfit("a path", text)
    return text


def unit_name(value: str) -> str:
    """Return a name of a release as part of the name of a unit, a credential or a directory."""
    try:
        return field_rules.slug(value)
    except ValueError:
        raise _unfit("a name", value) from None


def unit(sections: Mapping[str, Iterable[str]], version: str = "") -> str:
    """Return a file of units: sections of settings, of a release where a version is given."""
    about = f" for release {_version(version)}" if version else ""
    parts = ["".join(f"{line}\n" for line in (f"[{name}]", *lines)) for name, lines in sections.items()]
    return f"# written by filaectl{about}\n" + "\n".join(parts)


def transaction_argv(request: str, description: str) -> list[str]:
    """Return the command line that starts a transaction: the unit's name is the lock."""
    return [
        *_systemd_run(TRANSACTION, description),
        *_properties("Type=exec", f"OnFailure={RECOVER}", "TimeoutStopSec=30", "OOMScoreAdjust=-500"),
        "--", AGENT, "_transaction", _transaction(request),
    ]  # fmt: skip


def recoverer_argv() -> list[str]:
    """Return the command line that leaves a recoverer at work; roles/agent's unit has the same words.

    While a unit that OnFailure= started is active, systemd keeps the failed unit loaded and its name taken:
    so filae-recover.service only starts the recoverer, which is started again when it is killed.
    """
    program, *arguments = _systemd_run(RECOVERER, "filaectl recover")
    return [
        f"/usr/bin/{program}", *arguments,
        *_properties("Type=exec", "Restart=on-failure", "RestartSec=2", "RestartPreventExitStatus=1"),
        "--", AGENT, "recover",
    ]  # fmt: skip


def recovery_argv(tx: str) -> list[str]:
    """Return the command line of one try to recover, under the same lock."""
    return [
        *_systemd_run(TRANSACTION, f"filaectl recover {_transaction(tx)}"), "--wait",
        *_properties("Type=exec", "TimeoutStopSec=30"),
        "--", AGENT, "_recover", tx,
    ]  # fmt: skip


def oneoff_argv(
    name: str,
    command: Sequence[str],
    *,
    user: str,
    properties: Iterable[str] = (),
    env: Mapping[str, str] | None = None,
    seconds: float = 600,
    bound: bool = True,
) -> list[str]:
    """Return the command line that runs a sandboxed command; `bound`: it dies with the transaction."""
    run = name.replace(":", "-")
    if not _RUN.fullmatch(run):
        raise _unfit("the name of a command", name)
    ties = [f"BindsTo={TRANSACTION}.service", f"After={TRANSACTION}.service"] if bound else []
    own = (f"User={user}", "Group=filae", f"RuntimeMaxSec={seconds:g}")
    return [
        *_systemd_run(f"filae-run-{run}", f"filaectl {name}"), "--wait", "--pipe", "--service-type=exec",
        *_properties(*SANDBOX, *own, *ties, *properties),
        *(_variable(key, value) for key, value in sorted((env or {}).items())),
        # The manager would put the value of a variable where a word names one.
        "--", *(word.replace("$", "$$") for word in command),
    ]  # fmt: skip


def process_properties(layout: Layout, contract: Contract, process: str) -> list[str]:
    """Return what a process of the release needs beside the sandbox: credentials and writable paths."""
    secrets = [(unit_name(name), path(layout.secrets / name)) for name in sorted(contract.secrets_for(process))]
    writable = [layout.files / unit_name(entry["name"]) for entry in contract.files]
    if contract.scratch:
        writable.append(layout.scratch / _version(contract.version))
    return [
        *(setting("LoadCredential", f"{name}:{place}") for name, place in secrets),
        *(setting("ReadWritePaths", path(place)) for place in writable),
    ]


def exec_command(process: str) -> list[str]:
    """Return the launcher's command line for a process of a release."""
    unit_name(process.removeprefix("timer:"))
    return [AGENT, "exec", process]


def release_dropin(layout: Layout, contract: Contract, process: str, *, start: float = 0, pin: bool = False) -> str:
    """Return the drop-in that binds a unit to a release."""
    lines = process_properties(layout, contract, process)
    if start:
        lines.append(setting("TimeoutStartSec", f"{start:g}"))
    if pin:
        lines.append(setting("Environment", f"RELEASE={_version(contract.version)}"))
    return unit({"Service": lines}, contract.version)


def timer_unit(name: str, calendar: str) -> str:
    """Return the timer of a command that the release repeats."""
    when = [setting("OnCalendar", calendar), setting("Persistent", "true"), setting("RandomizedDelaySec", "60")]
    return unit(
        {
            "Unit": [setting("Description", f"Filaé, {unit_name(name)}")],
            "Timer": when,
            "Install": [setting("WantedBy", "timers.target")],
        }
    )


def maintenance_units(moment: str) -> tuple[str, str]:
    """Return the service and the timer that end maintenance at a moment."""
    about = {"Unit": [setting("Description", "Filaé, end of maintenance")]}
    command = setting("ExecStart", f"{AGENT} maintenance off --ended")
    when = [setting("OnCalendar", moment), setting("Persistent", "true"), setting("AccuracySec", "1s")]
    return (
        unit({**about, "Service": [setting("Type", "oneshot"), command]}),
        unit({**about, "Timer": when, "Install": [setting("WantedBy", "timers.target")]}),
    )


def _systemd_run(name: str, description: str) -> list[str]:
    if not one_line(description):
        raise _unfit("a description", description)
    return ["systemd-run", f"--unit={name}", "--collect", "--quiet", f"--description={description}"]


def _properties(*lines: str) -> list[str]:
    return [word for line in lines for word in ("-p", setting(*line.split("=", 1)))]


def _variable(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name) or not one_line(value):
        raise _unfit(f"the variable {name[:40]!r}", value)
    return f"--setenv={name}={value}"


def _transaction(name: str) -> str:
    if not _TX.fullmatch(name):
        raise _unfit("the name of a transaction", name)
    return name


def _version(value: str) -> str:
    try:
        return field_rules.version(value)
    except ValueError:
        raise _unfit("a version", value) from None


def _unfit(what: str, value: str) -> Failed:
    return Failed(
        f"systemd cannot be given {value!r:.100} as {what}",
        next_step=REBUILD,
    )
