"""Command lines and text for systemd: the sandbox, one-off commands, the drop-ins of a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.system.layout import AGENT, RECOVER, RECOVERER, TRANSACTION, Layout

# The same lines stand in the unit templates of roles/app; a test compares them. MemoryDenyWriteExecute is
# left out: Rails 7.2 switches Ruby's just-in-time compiler on, and libffi needs it too. The network is there
# for the mail relay; nftables says where to.
SANDBOX = (
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectSystem=strict",
    "ReadOnlyPaths=/run",  # ProtectSystem=strict leaves it as it is
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "PrivateUsers=yes",
    "PrivateIPC=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectControlGroups=yes",
    "ProtectProc=invisible",
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
)


def transaction_argv(request: str, description: str) -> list[str]:
    """Return the command line that starts a transaction: the unit's name is the lock."""
    return [
        "systemd-run", f"--unit={TRANSACTION}", "--collect", "--quiet", f"--description={description}",
        "-p", "Type=exec", "-p", f"OnFailure={RECOVER}", "-p", "TimeoutStopSec=30",
        "-p", "OOMScoreAdjust=-500",
        "--", AGENT, "_transaction", request,
    ]  # fmt: skip


def recoverer_argv() -> list[str]:
    """Return the command line that leaves a recoverer at work; roles/agent's unit has the same words.

    While a unit that OnFailure= started is active, systemd keeps the failed unit loaded and its name taken:
    so filae-recover.service only starts the recoverer, which is started again when it is killed.
    """
    return [
        "/usr/bin/systemd-run", f"--unit={RECOVERER}", "--collect", "--quiet",
        "--description=filaectl recover", "-p", "Type=exec", "-p", "Restart=on-failure", "-p", "RestartSec=2",
        "-p", "RestartPreventExitStatus=1", "--", AGENT, "recover",
    ]  # fmt: skip


def recovery_argv(tx: str) -> list[str]:
    """Return the command line of one try to recover, under the same lock."""
    return [
        "systemd-run", f"--unit={TRANSACTION}", "--collect", "--quiet", "--wait",
        f"--description=filaectl recover {tx}", "-p", "Type=exec", "-p", "TimeoutStopSec=30",
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
    argv = [
        "systemd-run", f"--unit=filae-run-{name.replace(':', '-')}", f"--description=filaectl {name}",
        "--wait", "--pipe", "--collect", "--quiet", "--service-type=exec",
    ]  # fmt: skip
    ties = [f"BindsTo={TRANSACTION}.service", f"After={TRANSACTION}.service"] if bound else []
    for item in [*SANDBOX, f"User={user}", "Group=filae", f"RuntimeMaxSec={seconds:g}", *ties, *properties]:
        argv += ["-p", item]
    for key, value in sorted((env or {}).items()):
        argv.append(f"--setenv={key}={value}")
    return [*argv, "--", *command]


def process_properties(layout: Layout, contract: Contract, process: str) -> list[str]:
    """Return what a process of the release needs beside the sandbox: credentials and writable paths."""
    secrets = [f"LoadCredential={n}:{layout.secrets / n}" for n in sorted(contract.secrets_for(process))]
    writable = [layout.files / e["name"] for e in contract.files]
    if contract.scratch:
        writable.append(layout.scratch / contract.version)
    return [*secrets, *(f"ReadWritePaths={path}" for path in writable)]


def exec_command(process: str, *, instance: str = "") -> list[str]:
    """Return the launcher's command line for a process of a release."""
    return [AGENT, "exec", process, *(["--instance", instance] if instance else [])]


def release_dropin(layout: Layout, contract: Contract, process: str, *, start: float = 0, pin: bool = False) -> str:
    """Return the drop-in that binds a unit to a release."""
    lines = [
        f"# written by filaectl for release {contract.version}",
        "[Service]",
        *process_properties(layout, contract, process),
    ]
    if start:
        lines.append(f"TimeoutStartSec={start:g}")
    if pin:
        lines.append(f"Environment=RELEASE={contract.version}")
    return "\n".join(lines) + "\n"


def timer_unit(name: str, calendar: str) -> str:
    """Return the timer of a command that the release repeats."""
    return (
        f"# written by filaectl\n[Unit]\nDescription=Filaé, {name}\n\n"
        f"[Timer]\nOnCalendar={calendar}\nPersistent=true\nRandomizedDelaySec=60\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
