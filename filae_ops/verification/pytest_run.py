"""pytest over the host checks: started before the facts are there, so that it loads while the machine answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from filae_ops.errors import OpsError
from filae_ops.paths import PACKAGE, data_path

SECONDS = 120
FAULT = "report this: it is a fault of filae-ops"


def pytest_argv() -> list[str]:
    """Return the command line that runs the host checks; -P: nothing of the caller's directory is loaded."""
    checks = data_path("tests", "host")
    return [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-c",
        str(checks / "pytest.ini"),
        "--rootdir",
        str(checks),
        str(checks),
    ]


def environment(directory: Path) -> dict[str, str]:
    """Return the environment of the checks: no option and no plugin of the caller's own pytest."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    given = kept.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(PACKAGE.parent), *(each for each in given if Path(each).is_absolute())])
    return kept | {
        "FILAE_VERIFY": str(directory), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": path,
    }  # fmt: skip


class HostChecks:
    """One run of the host checks in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process: subprocess.Popen[str] | None = None
        self.log: IO[str] | None = None

    def __enter__(self) -> Self:
        """Start pytest, which waits for its context."""
        self.log = (self.directory / "pytest.log").open("w+")
        self.process = subprocess.Popen(
            pytest_argv(), env=environment(self.directory), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            text=True,
        )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End pytest, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.log is not None:
            self.log.close()

    def judge(self, context: dict[str, Any]) -> list[dict[str, Any]]:
        """Hand over the context, and return what the checks wrote down."""
        assert self.process is not None
        draft = self.directory / "context.new"
        draft.write_text(json.dumps(context))
        draft.rename(self.directory / "context.json")
        try:
            status = self.process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise OpsError(
                f"the checks did not end in {SECONDS} s", next_step="run it again; then report this"
            ) from None
        written = self.directory / "verdicts.json"
        if status not in (0, 1) or not written.is_file():
            last = "\n  ".join((self.directory / "pytest.log").read_text().strip().splitlines()[-8:])
            raise OpsError(f"the checks could not run:\n  {last}", next_step=FAULT)
        rows: list[dict[str, Any]] = json.loads(written.read_text())
        return rows
