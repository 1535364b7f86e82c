"""The one place where the agent runs other programs: lists, a clean environment, bounded time, no shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CLEAN = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/root",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}
_NAME = r"[A-Z]\w*(?:::[A-Z]\w*)*"
_CLASSES = re.compile(rf"^\S*:\d+:in .*\(({_NAME})\)$|^({_NAME}):(?!:)", re.M)
_FRAME = re.compile(r"([\w./+-]+\.r[bu]:\d+)")


@dataclass(frozen=True)
class Result:
    """How a program ended."""

    status: int
    out: str = ""
    err: str = ""


class Failed(Exception):  # noqa: N818 - a step's failure, with what may be told of it
    """What failed, and the evidence that may be journalled (never an application's log lines)."""

    def __init__(self, message: str, **evidence: Any) -> None:
        super().__init__(message)
        self.evidence: Mapping[str, Any] = evidence


class Runner:
    """Runs programs for real; tests give another."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run to the end and return status and output."""
        try:
            done = subprocess.run(
                list(argv),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                env={**CLEAN, **(env or {})},
                cwd="/",
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(124, "", f"no answer in {timeout:g} s")
        except OSError as exc:
            return Result(127, "", f"{argv[0]}: {exc.strerror}")
        return Result(done.returncode, done.stdout, done.stderr)

    def must(self, argv: Sequence[str], **options: Any) -> str:
        """Run one of the system's tools and return what it prints; Failed when its status is not 0."""
        result = self.run(argv, **options)
        if result.status != 0:
            said = " | ".join(result.err.strip().splitlines()[-3:])[:600]
            raise Failed(f"`{' '.join(argv[:4])}` ended with status {result.status}: {said}", status=result.status)
        return result.out


def evidence_of(text: str) -> dict[str, str]:
    """Return the exception class and the frame named in an application's output, and nothing else of it."""
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
