"""`ansible-inventory` for many inventories: its entry point is loaded once, and forked for each.

Loading it is most of what one reading costs. A process of its own, since Ansible changes the process that it runs in;
nothing of Ansible is imported but its console script, which its own process would run.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any

NAME = "ansible-inventory"
TIMEOUT = 60
"""Seconds for one inventory."""


def main() -> None:
    """Answer each line of stdin, a command line as JSON, by one line: status, stdout, stderr and modules, as JSON."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    run = next(iter(entry_points(group="console_scripts", name=NAME))).load()
    warm = False
    for line in sys.stdin:
        answer = _forked(run, json.loads(line))
        modules = answer.pop("modules")
        if not warm:
            _load(modules)
            warm = True
            gc.collect()
            gc.freeze()  # shared with each child for as long as nothing writes to it
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _load(modules: list[str]) -> None:
    """Load what the first reading had to load, so that the next ones find it."""
    for name in modules:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _forked(run: Callable[[], Any], argv: list[str]) -> dict[str, Any]:
    with _files(3) as (out, err, loaded):
        child = os.fork()
        if child == 0:
            os._exit(_run(run, argv, out, err, loaded))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stdout, stderr, modules = map(_text, (out, err, loaded))
    return {"status": status, "stdout": stdout, "stderr": stderr, "modules": modules.split()}


def _run(run: Callable[[], Any], argv: list[str], out: int, err: int, loaded: int) -> int:
    signal.alarm(TIMEOUT)
    for source, target in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(source, target)
    sys.argv = argv
    code: Any = 1
    try:
        code = run()
    except SystemExit as end:
        code = end.code
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(loaded, "\n".join(sys.modules).encode())
    return code if isinstance(code, int) else int(code is not None)


@contextlib.contextmanager
def _files(count: int) -> Iterator[list[int]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(tempfile.TemporaryFile()).fileno() for _ in range(count)]


def _text(handle: int) -> str:
    os.lseek(handle, 0, os.SEEK_SET)
    with os.fdopen(os.dup(handle), "rb") as file:
        return file.read().decode(errors="replace")


if __name__ == "__main__":
    main()
