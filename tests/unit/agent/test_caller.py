"""Whoever calls filaectl gives it no limit, no ignored signal, no variable and no closed descriptor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import json, os, resource, signal, subprocess, sys
from filae_ops.agent import caller
from filae_ops.agent.system.process import Runner
caller.forget()
limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in
          ("CPU", "FSIZE", "DATA", "AS", "NPROC", "NOFILE", "STACK", "CORE")}
print(json.dumps({
    "limits": limits, "nice": os.getpriority(os.PRIO_PROCESS, 0), "environment": dict(os.environ),
    "blocked": [int(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, ())],
    "scheduling": [os.sched_getscheduler(0), len(os.sched_getaffinity(0))],
    "waits": subprocess.run(["ionice", "-p", str(os.getpid())], capture_output=True, text=True).stdout.strip(),
    "ignored": [int(n) for n in (signal.SIGCHLD, signal.SIGTERM) if signal.getsignal(n) == signal.SIG_IGN],
    "failing": Runner().run(["false"]).status,
}))
"""
HERE = {"PYTHONPATH": str(Path(__file__).parents[3])}


def asked(prelude: str, **environment: str) -> dict[str, object]:
    """Run the question below a shell that has done something first."""
    argv = ["sh", "-c", f'{prelude}\nexec "$@"', "sh", sys.executable, "-c", ASK]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**os.environ, **HERE, **environment})
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("flag", "name", "soft"),
    [("-f 0", "FSIZE", -1), ("-t 5", "CPU", -1), ("-v 900000", "AS", -1), ("-d 200000", "DATA", -1),
     ("-n 12", "NOFILE", 1024), ("-s 512", "STACK", 8 * 1024 * 1024), ("-c unlimited", "CORE", 0)],
)  # fmt: skip
def test_a_caller_s_limit_is_lifted(flag: str, name: str, soft: int) -> None:
    limits = asked(f"ulimit -S {flag}")["limits"]
    assert isinstance(limits, dict)
    assert limits[name][0] == soft


WRITE = (
    "import sys; from pathlib import Path; from filae_ops.agent import caller; from filae_ops.agent.system import "
    "durable; caller.forget(); durable.write(Path(sys.argv[1]), 'x' * 100000)"
)


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
def test_a_caller_who_may_write_nothing_leaves_no_half_written_file(tmp_path: Path, hard: bool) -> None:
    prelude = f'ulimit {"" if hard else "-S"} -f 0; exec "$@"'
    argv = ["sh", "-c", prelude, "sh", sys.executable, "-c", WRITE, str(tmp_path / "file")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**os.environ, **HERE})
    made = [(path.name, path.stat().st_size) for path in tmp_path.iterdir()]
    if hard and not may_lift():
        assert "hard limit FSIZE is 0, which root may not lift here" in done.stderr
        assert made == []
    else:
        assert made == [("file", 100_000)]


def may_lift() -> bool:
    """Tell whether this process may lift hard limits (CAP_SYS_RESOURCE), which some containers take from root."""
    status = Path("/proc/self/status").read_text()
    return bool(int(status.partition("CapEff:")[2].split()[0], 16) & 1 << 24)


def test_a_program_that_fails_is_seen_to_fail_whatever_the_caller_ignores() -> None:
    ignoring = (
        f"exec {sys.executable} -c 'import os, signal, sys; "
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGALRM}); "
        'os.execv(sys.argv[1], sys.argv[1:])\' "$@"'
    )
    answer = asked(ignoring)
    assert (answer["failing"], answer["ignored"], answer["blocked"]) == (1, [], [])


def test_priority_and_variables_are_the_machine_s() -> None:
    answer = asked("renice -n 15 $$ >/dev/null", SUDO_USER="claire", OPENSSL_CONF="/tmp/x", SSL_CERT_FILE="/tmp/x")
    assert answer["nice"] == 0
    assert answer["environment"] == {"SUDO_USER": "claire", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def test_processors_and_turns_are_the_machine_s() -> None:
    """A holder of a lock that gets no turn makes all others wait."""
    usual = asked("")
    processor = min(os.sched_getaffinity(0))
    assert asked(f'exec taskset -c {processor} chrt --idle 0 ionice -c 3 "$@"') == usual


def test_a_terminal_stops_no_command(tmp_path: Path) -> None:
    """A holder of a lock that a terminal stops makes all others wait until somebody finds it there."""
    script = (
        "import os, signal; from filae_ops.agent import caller; caller.forget(); "
        "[os.kill(os.getpid(), number) for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)]"
    )
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, env={**os.environ, **HERE}, process_group=0) as process:
        try:
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_with_closed_descriptors_no_file_is_printed_to(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys; from filae_ops.agent import caller; caller.forget(); "
        "stream = open(sys.argv[1], 'w'); print('lost'); subprocess.run(['echo', 'lost']); "
        "print('lost', file=sys.stderr); stream.write('all'); stream.close()"
    )
    argv = ["sh", "-c", 'exec 0>&- 1>&- 2>&-; exec "$@"', "sh", sys.executable, "-c", script, str(tmp_path / "file")]
    done = subprocess.run(argv, timeout=60, env={**os.environ, **HERE})
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == "all"
