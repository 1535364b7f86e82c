"""What a command takes over from whoever calls it: put back as the machine has it, so that it decides nothing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.process import CLEAN

# What a terminal does to whoever waits at it, the caller may ask to be left out of.
_OF_TERMINALS = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT}
# Stopped at a terminal, a command would keep the lock that it holds.
_STOPPING = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
# Python ignores these, and gives the programs that it starts what is usual.
_OF_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ}
# Who asks is written down.
_VARIABLES = ("SUDO_USER",)
_PROCESSORS = 4096  # more than a machine has: the kernel takes those that there are
# The C library has no ioprio_set(2); without a class of its own, a process has that of its priority.
_IOPRIO_SET, _OF_THIS_PROCESS = {"x86_64": 251, "aarch64": 30}, (1, 0)
_NONE = resource.RLIM_INFINITY
# Soft and hard, as systemd gives them to a unit; the soft one is what the work needs.
_LIMITS = {
    **dict.fromkeys(("CPU", "FSIZE", "DATA", "AS"), (_NONE, _NONE)),
    "NPROC": (4096, _NONE),
    "NOFILE": (1024, 524288),
    "STACK": (8 * 1024 * 1024, _NONE),
    "CORE": (0, 0),
}


def forget() -> None:
    """Have limits, signals, turns, variables and descriptors as a unit has them."""
    _open_standard_descriptors()
    _lift_limits()
    _restore_signals()
    _take_usual_turns()
    with contextlib.suppress(OSError):  # a container may not let its root do that
        Path("/proc/self/oom_score_adj").write_text("0")
    for name in set(os.environ) - set(_VARIABLES):
        del os.environ[name]
    os.environ["PATH"] = CLEAN["PATH"]


def _open_standard_descriptors() -> None:
    """Fill 0 to 2 where they are closed: else the next file, which may be the journal, is what is printed to."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _lift_limits() -> None:
    for name, (soft, hard) in _LIMITS.items():
        number = getattr(resource, f"RLIMIT_{name}")
        bound = resource.getrlimit(number)[1]
        try:
            resource.setrlimit(number, (soft, hard))
        except (ValueError, OSError) as exc:  # the root of a container that may not lift a hard one
            if bound != _NONE and (soft == _NONE or bound < soft):
                raise Refused(
                    f"the caller's hard limit {name} is {bound}, which root may not lift here: {exc}",
                    next_step="ulimit -H -a shows it; call filaectl from a login that has not lowered it",
                ) from exc
            resource.setrlimit(number, (soft, bound))


def _take_usual_turns() -> None:
    """Have the processors and the disks as others have them; a container may not let its root do all of that."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, range(_PROCESSORS))
    os.setpriority(os.PRIO_PROCESS, 0, 0)
    if number := _IOPRIO_SET.get(os.uname().machine):
        ctypes.CDLL(None).syscall(number, *_OF_THIS_PROCESS, 0)


def _restore_signals() -> None:
    """Have no signal blocked or ignored: without SIGCHLD, a program that failed looks as if it had not."""
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    for number in _STOPPING:
        signal.signal(number, signal.SIG_IGN)
    for number in signal.valid_signals() - _OF_TERMINALS - _STOPPING - _OF_PYTHON:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
