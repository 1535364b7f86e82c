"""A program of a release in a PID namespace of its own: what tells it of its socket, what ends it, what it returns."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from material.agent.fakes import machine_at, put_release

from filae_ops.agent.runtime import launcher

NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--mount-proc", "--fork", "--kill-child"]
LAUNCH = (
    "import sys; from pathlib import Path; from filae_ops.agent.runtime import launcher; "
    "from filae_ops.agent.system.layout import Layout; "
    "sys.exit(launcher.run(Layout(Path(sys.argv[1])), 'web', 'blue'))"
)


def launched(root: Path, script: str, before: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
    """Start a shell script as the web process of a release, as its unit does."""
    machine, _ = machine_at(root)
    machine.layout.colour_file("blue").write_text("2.1.0\n")
    tree = put_release(machine, "2.1.0", processes={"web": ["sh", "-c", script]}, secrets={}, settings={})
    assert tree.is_dir()
    return subprocess.Popen(
        [*NAMESPACE, *before, sys.executable, "-c", LAUNCH, str(root)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip


@contextlib.contextmanager
def running(root: Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """Give a started program once it has said `ready`."""
    with launched(root, script) as namespace:
        try:
            assert namespace.stdout is not None
            assert namespace.stdout.readline() == "ready\n"
            yield namespace
        finally:
            namespace.kill()


def descendants(pid: int) -> list[int]:
    """Return every process below one: the launcher first, then what it started."""
    try:
        children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [*children, *(below for child in children for below in descendants(child))]


def stop(namespace: subprocess.Popen[str]) -> None:
    """Send SIGTERM to each process once, until there is no new one: as systemd does with a unit's."""
    reached: set[int] = set()
    while fresh := set(descendants(namespace.pid)) - reached:
        for pid in fresh:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        reached |= fresh


def test_a_program_finds_its_own_number_where_systemd_wrote_another(tmp_path: Path) -> None:
    script = 'echo "[\\"$LISTEN_PID\\",\\"$WATCHDOG_PID\\",\\"$$\\",\\"$LISTEN_FDS\\"]"'
    with launched(tmp_path, script, LISTEN_PID="4711", WATCHDOG_PID="4711", LISTEN_FDS="1") as namespace:
        out, _ = namespace.communicate(timeout=30)
    listen, watchdog, own, descriptors = json.loads(out)
    assert listen == watchdog == own != "1"
    assert descriptors == "1"


def test_a_program_that_nothing_listens_for_is_told_of_no_socket(tmp_path: Path) -> None:
    with launched(tmp_path, 'echo "${LISTEN_PID-none} ${WATCHDOG_PID-none}"') as namespace:
        out, _ = namespace.communicate(timeout=30)
    assert out == "none none\n"


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill $$", 143)])
def test_the_unit_ends_as_the_program_did(tmp_path: Path, script: str, status: int) -> None:
    with launched(tmp_path, script) as namespace:
        namespace.communicate(timeout=30)
    assert namespace.returncode == status


def test_a_program_that_handles_no_signal_stops_at_once(tmp_path: Path) -> None:
    with running(tmp_path, "echo ready; exec sleep 60") as namespace:
        began = time.monotonic()
        stop(namespace)
        assert namespace.wait(timeout=30) == 143
    assert time.monotonic() - began < 5


def test_a_stop_that_comes_before_the_program_is_not_lost(tmp_path: Path) -> None:
    """As in a unit that is stopped just after its start: each of the launcher's moments gets its stop."""
    for moment in range(10):
        with launched(tmp_path / str(moment), "exec sleep 60") as namespace:
            try:
                while not blocks_sigterm(descendants(namespace.pid)):
                    time.sleep(0.001)
                time.sleep(moment / 500)
                stop(namespace)
                assert namespace.wait(timeout=30) == 143
            finally:
                namespace.kill()


def blocks_sigterm(processes: list[int]) -> bool:
    """Tell whether a launcher is as far as to have blocked SIGTERM."""
    try:
        program = Path(f"/proc/{processes[0]}/cmdline").read_bytes() if processes else b""  # unshare blocks it too
        status = Path(f"/proc/{processes[0]}/status").read_text() if processes else ""
    except (FileNotFoundError, ProcessLookupError):
        return False
    blocked = [int(line[7:], 16) for line in status.splitlines() if line.startswith("SigBlk:")]
    return program.startswith(os.fsencode(sys.executable)) and bool(blocked and blocked[0] & 0x4000)


def test_a_program_that_ends_its_work_first_is_waited_for(tmp_path: Path) -> None:
    script = "trap 'sleep 0.5; echo finished; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    with running(tmp_path, script) as namespace:
        stop(namespace)
        out, _ = namespace.communicate(timeout=30)
        assert (out, namespace.returncode) == ("finished\n", 0)


def test_what_a_program_started_may_end_its_work_after_it(tmp_path: Path) -> None:
    worker = "trap 'sleep 0.5; echo finished; exit 0' TERM; echo ready; while :; do sleep 0.1; done"
    with running(tmp_path, f'sh -c "{worker}" & wait') as namespace:
        stop(namespace)
        out, _ = namespace.communicate(timeout=30)
        assert (out, namespace.returncode) == ("finished\n", 143)


def test_what_a_program_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    with launched(tmp_path, "sleep 60 & exit 3") as namespace:
        began = time.monotonic()
        namespace.communicate(timeout=30)
    assert namespace.returncode == 3
    assert time.monotonic() - began < 5


def test_a_kill_of_everything_reaches_the_program_s_own_processes_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        with launched(tmp_path, "sleep 60 & kill -9 -1; wait $!; echo $?") as namespace:
            out, _ = namespace.communicate(timeout=30)
        assert (out, namespace.returncode) == ("137\n", 0)
        assert other.poll() is None
        other.kill()


def test_a_program_cannot_write_into_its_launcher(tmp_path: Path) -> None:
    """Else it decides what the launcher does with the unit's stop."""
    unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    script = "(exec 3<>/proc/self/mem) && echo own; (exec 3<>/proc/1/mem) && echo launcher"
    with launched(tmp_path, script, unprivileged) as namespace:
        out, _ = namespace.communicate(timeout=30)
    assert out == "own\n"


@pytest.mark.parametrize("unit", ["filae-web@.service.j2", "filae-worker@.service.j2"])
def test_what_a_program_leaves_behind_does_not_hide_its_end_for_longer_than_a_stop_lasts(unit: str) -> None:
    text = (Path(__file__).parents[4] / "roles/app/templates" / unit).read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", text, re.M)
    assert int(seconds) / 2 >= launcher.REST


def test_outside_of_a_namespace_nothing_is_run(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    machine.layout.colour_file("blue").write_text("2.1.0\n")
    put_release(machine, "2.1.0", processes={"web": ["touch", str(tmp_path / "ran")]}, secrets={}, settings={})
    done = subprocess.run([sys.executable, "-c", LAUNCH, str(tmp_path)], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert "PID namespace" in done.stderr
    assert not (tmp_path / "ran").exists()
