"""The one place where the agent runs other programs: lists, a clean environment, bounded time, no shell."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

CLEAN = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}
# More than any of the system's tools prints, and little enough for root to hold of what an application prints.
MOST = 8 * 1024 * 1024
_NAME = r"[A-Z]\w*(?:::[A-Z]\w*)*"
_CLASSES = re.compile(rf"^\S*:\d+:in .*\(({_NAME})\)$|^({_NAME}):(?!:)", re.M)
# A command of the release has no suffix, as bin/migrate: then it is the backtrace's form that tells it.
# A path is looked for where one begins only: each character is read a few times, however long the text.
_FRAME = re.compile(r"(?<![\w./+-])([\w./+-]+\.r[bu]:\d+|[\w./+-]*/[\w.+-]+:\d+(?=:in ))")
# How much of an output is looked at: its end, and of a long line its beginning and its end, where Ruby names the class.
TEXT = 64 * 1024
LINE = 1000


@dataclass(frozen=True)
class Result:
    """How a program ended; `cut`: it printed more than `out` holds, which is the end of it."""

    status: int
    out: str = ""
    err: str = ""
    cut: bool = False


class Failed(Exception):  # noqa: N818 - a step's failure, with what may be told of it
    """What failed, what to do next where it is known, and evidence (never an application's log lines)."""

    def __init__(self, message: str, *, next_step: str = "", **evidence: Any) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.evidence: Mapping[str, Any] = evidence


class _End:
    """The end of what a program prints into a pipe, read as it comes, so that no more than that takes memory."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.cut = False
        self._last = bytearray()
        reader, self.writer = os.pipe()
        self._thread = threading.Thread(target=self._read, args=(reader,), daemon=True)
        self._thread.start()

    def ended(self, deadline: float) -> bool:
        """Wait until nobody can print any more; tell whether that came in time."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def text(self) -> str:
        """Return what was printed last."""
        return self._last[-self.most :].decode(errors="replace")

    def _read(self, reader: int) -> None:
        with os.fdopen(reader, "rb", buffering=0) as stream:
            while block := stream.read(65536):
                self._last += block
                self.cut = self.cut or len(self._last) > self.most
                if len(self._last) > 2 * self.most:
                    del self._last[: -self.most]


class Runner:
    """Runs programs for real; tests give another."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        most: int = MOST,
    ) -> Result:
        """Run to the end and return status and output, of which the last `most` bytes are kept."""
        deadline = time.monotonic() + timeout
        out, err = _End(most), _End(most)
        try:
            done = subprocess.run(
                list(argv),
                input=None if stdin is None else stdin.encode(errors="replace"),
                stdin=subprocess.DEVNULL if stdin is None else None,
                stdout=out.writer,
                stderr=err.writer,
                timeout=timeout,
                env={**CLEAN, **(env or {})},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(124, "", f"no answer in {timeout:g} s")
        except OSError as exc:
            return Result(127, "", f"{argv[0]}: {exc.strerror}")
        finally:
            os.close(out.writer)
            os.close(err.writer)
        if not (out.ended(deadline) and err.ended(deadline)):
            return Result(124, "", f"no answer in {timeout:g} s")
        return Result(done.returncode, out.text(), err.text(), cut=out.cut)

    def stream(
        self, argv: Sequence[str], *, source: Path | None = None, target: Path | None = None, timeout: float = 60
    ) -> None:
        """Run one of the system's tools on a file, or into a new one that only root reads, made durable."""
        with contextlib.ExitStack() as files:
            stdin = files.enter_context(source.open("rb")) if source else None
            written = files.enter_context(_created(target)) if target else None
            try:
                done = subprocess.run(
                    list(argv), stdin=stdin or subprocess.DEVNULL, stdout=written or subprocess.DEVNULL,
                    stderr=subprocess.PIPE, timeout=timeout, env=CLEAN, cwd="/", check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise Failed(f"`{' '.join(argv[:6])}` gave no end in {timeout:g} s") from None
            if written:
                os.fsync(written.fileno())
        require_tool(argv, Result(done.returncode, "", done.stderr.decode(errors="replace")))

    def must(self, argv: Sequence[str], **options: Any) -> str:
        """Run one of the system's tools and return what it prints; Failed when its status is not 0."""
        return require_tool(argv, self.run(argv, **options)).out


def require_tool(argv: Sequence[str], result: Result) -> Result:
    """Fail with what one of the system's tools said when its status is not 0."""
    if result.status != 0:
        said = " | ".join(result.err.strip().splitlines()[-3:])[:600]
        raise Failed(f"`{' '.join(argv[:4])}` ended with status {result.status}: {said}", status=result.status)
    return result


def _created(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def evidence_of(*texts: str) -> dict[str, str]:
    """Return the exception class and the frame named in an application's outputs, and nothing else of them."""
    text = "\n".join(_short(line) for output in texts for line in output[-TEXT:].split("\n"))
    found: dict[str, str] = {}
    names = [match[1] or match[2] for match in _CLASSES.finditer(text)]
    names = [name for name in names if "::" in name or name.endswith(("Error", "Exception"))]
    if names:
        found["exception"] = next((name for name in names if name != "StandardError"), names[0])
    frames = [m[1] for m in _FRAME.finditer(text)]
    own = [f for f in frames if "/usr/" not in f and "vendor/" not in f and "/gems/" not in f]
    if frames:
        found["frame"] = (own or frames)[0][-200:]
    return found


def _short(line: str) -> str:
    return line if len(line) <= LINE else f"{line[: LINE // 2 - 1]}  {line[1 - LINE // 2 :]}"
