"""One JSON line per event of a run, on stdout: what the command line needs for progress, totals and errors."""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: filae_events
type: stdout
short_description: JSON lines for filae-ops
description: Prints one JSON line per task start, result and end of the run.
"""

ARGUMENT_CHECK = "Validating arguments against arg spec"


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    """Prints events; every line is one JSON object with the key `event`."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "filae_events"

    def _emit(self, event: str, **fields: Any) -> None:
        sys.stdout.write(json.dumps({"event": event, **fields}, default=str) + "\n")
        sys.stdout.flush()

    def _task(self, task: Any, handler: bool = False) -> None:
        name = task.get_name()
        self._emit("task", name=name, handler=handler, counted=ARGUMENT_CHECK not in name)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Announce a task."""
        self._task(task)

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Announce a handler."""
        self._task(task, handler=True)

    def _result(self, result: Any, status: str) -> None:
        data = result._result
        hidden = data.get("_ansible_no_log", False)
        counted = ARGUMENT_CHECK not in result._task.get_name()
        fields = {
            "host": result._host.get_name(),
            "task": result._task.get_name(),
            "status": status,
            "counted": counted,
        }
        if status in ("failed", "unreachable"):
            fields["message"] = "(not shown: this task handles secrets)" if hidden else self._message(data)
        if not hidden and data.get("diff") and data.get("changed"):
            fields["diff"] = self._get_diff(data["diff"])
        self._emit("result", changed=bool(data.get("changed")), **fields)

    @staticmethod
    def _message(data: dict[str, Any]) -> str:
        parts = [str(data.get(key, "")).strip() for key in ("msg", "stderr", "module_stderr")]
        if data.get("argument_errors"):
            parts = [str(data.get("msg", "")), "; ".join(map(str, data["argument_errors"]))]
        return "\n".join(part for part in dict.fromkeys(parts) if part)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Report a success."""
        self._result(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Report a failure."""
        self._result(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Report a machine that could not be reached."""
        self._result(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Report a task that did not apply."""
        self._result(result, "skipped")

    def v2_playbook_on_no_hosts_matched(self) -> None:
        """Report a play without machines."""
        self._emit("no_hosts")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Report the totals."""
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._emit("stats", hosts=hosts)
