"""The units of a release: the colour's web server, its workers, its timers, and its one-off commands."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import unit_text
from filae_ops.agent.system import durable
from filae_ops.agent.system.layout import APP_USER, LOGS, MIGRATE_USER
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import MOST, TEXT, Failed, Result, evidence_of

LOOK = 3.0  # seconds for the log of a start that failed: the lock is held meanwhile
JOB = 70.0  # seconds that workers have to finish their job: TimeoutStopSec of their unit
KILLED = 10.0  # seconds for systemd to see that what was killed has ended


def systemctl(machine: Machine, *arguments: str, timeout: float = 120) -> str:
    """Run systemctl and return what it prints."""
    return machine.runner.must(["systemctl", *arguments], timeout=timeout)


def web(colour: str) -> tuple[str, str]:
    """Return the units of a colour: socket and service."""
    instance = unit_text.unit_name(colour)
    return f"filae-web@{instance}.socket", f"filae-web@{instance}.service"


def worker(process: str, colour: str) -> str:
    """Return the unit of a worker process of a colour."""
    return f"filae-worker@{unit_text.unit_name(process)}-{unit_text.unit_name(colour)}.service"


def timer(name: str) -> tuple[str, str]:
    """Return the units of a command that is repeated: timer and service."""
    instance = unit_text.unit_name(name)
    return f"filae-timer@{instance}.timer", f"filae-timer@{instance}.service"


def prepare_web(machine: Machine, contract: Contract, colour: str, *, start: float = 0) -> None:
    """Bind a colour to a release: its version and its drop-in."""
    start = start or machine.config.timings["start"]
    _dropin(machine, web(colour)[1], unit_text.release_dropin(machine.layout, contract, "web", start=start))
    durable.write(machine.layout.colour_file(colour), f"{contract.version}\n")


def enable(machine: Machine, *units: str) -> None:
    """Have units started at boot, and systemd read all that changed: once, each time costs what a start costs."""
    _at_boot(machine, "enable", *units)
    systemctl(machine, "daemon-reload")


def start_web(machine: Machine, colour: str) -> None:
    """Start a colour and wait until it says that it is ready; it also starts at the next boot."""
    service = web(colour)[1]
    enable(machine, *web(colour))
    machine.runner.run(["systemctl", "reset-failed", *web(colour)])
    systemctl(machine, "start", web(colour)[0])
    result = machine.runner.run(["systemctl", "start", service], timeout=machine.config.timings["start"] + 30)
    if result.status != 0:
        raise Failed(f"{service} does not start", **evidence(machine, service))


def stop_web(machine: Machine, colour: str) -> None:
    """Stop a colour, service and socket, so that nothing can wake it; not started at boot any more.

    Nginx has drained, so nothing is lost by killing a Puma that hangs in its graceful stop (seen with 6.6). Whoever
    calls this makes systemd read its units again next.
    """
    _at_boot(machine, "disable", *web(colour))
    systemctl(machine, "stop", "--no-block", *web(colour))
    _kill_late(machine, [web(colour)[1]], machine.config.timings["stop"])
    systemctl(machine, "stop", *web(colour))
    machine.runner.run(["systemctl", "reset-failed", *web(colour)])


def _kill_late(machine: Machine, services: Sequence[str], seconds: float) -> None:
    """Wait for services that were told to stop, and kill those that have not after this time."""
    limit = time.monotonic() + seconds
    for service in services:
        while show(machine, service, "ActiveState").get("ActiveState") not in ("inactive", "failed"):
            if time.monotonic() > limit:
                machine.runner.run(["systemctl", "kill", "--signal=KILL", service])
                break
            time.sleep(0.05)


def forget_web(machine: Machine, colour: str) -> None:
    """Unbind a stopped colour from its release; whoever calls this makes systemd read its units again next."""
    durable.remove(machine.layout.units / f"{web(colour)[1]}.d")
    durable.remove(machine.layout.colour_file(colour))


def start_workers(machine: Machine, contract: Contract, colour: str) -> list[str]:
    """Start the workers of a release and see that they stay up."""
    names = [worker(process, colour) for process in contract.workers]
    for process, unit in zip(contract.workers, names, strict=True):
        _dropin(machine, unit, unit_text.release_dropin(machine.layout, contract, process))
    if names:
        enable(machine, *names)
    for unit in names:
        machine.runner.run(["systemctl", "reset-failed", unit])
        if machine.runner.run(["systemctl", "restart", unit]).status != 0:
            raise Failed(f"{unit} does not start", **evidence(machine, unit))
    if names:
        time.sleep(machine.config.timings["settle"])
    for unit in names:
        shown = show(machine, unit, "ActiveState", "NRestarts")
        if shown.get("ActiveState") != "active" or shown.get("NRestarts", "0") != "0":
            raise Failed(f"{unit} does not stay up", **evidence(machine, unit))
    return names


def stop_workers(machine: Machine, colour: str) -> None:
    """Stop every worker of a colour, whatever release it was of; that the application lets none stop fails nothing."""
    pattern = f"filae-worker@*-{colour}.service"
    listed = systemctl(machine, "list-units", "--all", "--plain", "--no-legend", "--full", pattern)
    enabled = [p.name for p in machine.layout.units.glob(f"filae.target.wants/{pattern}")]
    names = sorted({*(line.split()[0] for line in listed.splitlines() if line.strip()), *enabled})
    if names:
        _at_boot(machine, "disable", *names)
        systemctl(machine, "stop", "--no-block", *names)
        _kill_late(machine, names, JOB)
        machine.runner.run(["systemctl", "stop", *names], timeout=KILLED)
        machine.runner.run(["systemctl", "reset-failed", *names])
    for place in machine.layout.units.glob(f"{pattern}.d"):
        shutil.rmtree(place)


def set_timers(machine: Machine, contract: Contract | None) -> list[str]:
    """Have exactly the timers of a release (none without one)."""
    wanted = contract.timers if contract else {}
    for path in machine.layout.units.glob("filae-timer@*.timer"):
        name = path.stem.removeprefix("filae-timer@")
        if name and name not in wanted:
            systemctl(machine, "disable", "--now", "--quiet", path.name)
            durable.remove(path)
            durable.remove(machine.layout.units / f"filae-timer@{name}.service.d")
    for name, entry in wanted.items():
        assert contract is not None
        unit, service = timer(name)
        durable.write(machine.layout.units / unit, unit_text.timer_unit(name, str(entry["calendar"])))
        _dropin(machine, service, unit_text.release_dropin(machine.layout, contract, f"timer:{name}", pin=True))
    timers = [timer(name)[0] for name in sorted(wanted)]
    if not timers:
        systemctl(machine, "daemon-reload")
        return []
    enable(machine, *timers)
    systemctl(machine, "start", *timers)
    return sorted(wanted)


def once(
    machine: Machine,
    contract: Contract,
    process: str,
    *,
    env: Mapping[str, str] | None = None,
    seconds: float = 600,
    bound: bool = True,
    command: list[str] | None = None,
    properties: Sequence[str] = (),
    most: int = MOST,
) -> Result:
    """Run one command of a release to its end in the sandbox; its output stays with the caller."""
    argv = unit_text.oneoff_argv(
        process if bound else f"{process}-{os.getpid()}",
        command or unit_text.exec_command(process),
        user=MIGRATE_USER if process == "migrate" else APP_USER,
        properties=[*unit_text.process_properties(machine.layout, contract, process), *properties],
        env={"RELEASE": contract.version, **(env or {})},
        seconds=seconds,
        bound=bound,
    )
    return machine.runner.run(argv, timeout=seconds + 30, most=most)


def require(process: str, result: Result) -> None:
    """Fail with the evidence when a release's command did not end well."""
    if result.status != 0:
        found = evidence_of(result.err, result.out)
        what = f": {found['exception']}" if "exception" in found else ""
        raise Failed(
            f"the release's {process} command ended with status {result.status}{what}",
            status=result.status,
            **found,
        )


def evidence(machine: Machine, unit: str) -> dict[str, str]:
    """Return how a unit ended: result, status, exception class and frame."""
    shown = show(machine, unit, "Result", "ExecMainStatus", "InvocationID")
    said = _last_lines(machine, shown["InvocationID"]) if shown.get("InvocationID") else ""
    return {
        "unit": unit,
        "result": shown.get("Result", ""),
        "status": shown.get("ExecMainStatus", ""),
        **evidence_of(said),
    }


def _last_lines(machine: Machine, invocation: str) -> str:
    """Return the end of what a unit wrote since it started; an entry may be as long as the application likes."""
    words = ["--output=cat", "--lines=200", f"_SYSTEMD_INVOCATION_ID={invocation}"]
    argv = ["journalctl", f"--namespace={LOGS}", "--quiet", "--no-pager", *words]
    return machine.runner.run(argv, timeout=LOOK, most=TEXT).out


def show(machine: Machine, unit: str, *properties: str) -> dict[str, str]:
    """Return these properties of a unit."""
    text = machine.runner.run(["systemctl", "show", unit, *(f"--property={p}" for p in properties)]).out
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _at_boot(machine: Machine, word: str, *units: str) -> None:
    """Enable or disable units, on the disk as well: /etc may be another file system than the journal's."""
    systemctl(machine, word, "--quiet", "--no-reload", *units)
    for place in machine.layout.units.glob("*.target.wants"):
        durable.sync_directory(place)


def _dropin(machine: Machine, unit: str, text: str) -> None:
    place = machine.layout.units / f"{unit}.d"
    durable.directory(place, 0o755)
    durable.write(place / "release.conf", text)
