"""The values of many inventories, from one `ansible-inventory` that stays loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from filae_ops.errors import OpsError
from filae_ops.inventory.reading.ansible_values import TIMEOUT, environment, inventory_argv, values_of
from filae_ops.paths import PACKAGE


class ManyValues:
    """A reader for `load`, good for one inventory after the other; its process ends with it."""

    def __init__(self) -> None:
        argv = [sys.executable, "-P", "-m", "filae_ops.inventory.reading.ansible_pool_server"]
        place = str(PACKAGE.parent)
        self._server = subprocess.Popen(
            argv, env=environment() | {"PYTHONPATH": place}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip

    def __call__(self, hosts_file: Path) -> dict[str, dict[str, Any]]:
        """Return what `ansible_values` would."""
        server = self._server
        assert server.stdin
        assert server.stdout
        try:
            server.stdin.write(json.dumps(inventory_argv(hosts_file)) + "\n")
            server.stdin.flush()
            answer = json.loads(server.stdout.readline())
        except (OSError, ValueError):
            raise OpsError(
                "ansible-inventory could not be started for several inventories",
                next_step="review them one by one: it says why",
            ) from None
        if answer["status"] < 0:
            raise OpsError(
                f"ansible-inventory did not answer in {TIMEOUT} s for {hosts_file}",
                next_step="run it by hand: it says why",
            )
        return values_of(hosts_file, answer["status"], answer["stdout"], answer["stderr"])

    def close(self) -> None:
        """End the process."""
        if self._server.stdin:
            self._server.stdin.close()
        self._server.wait()
        if self._server.stdout:
            self._server.stdout.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()
