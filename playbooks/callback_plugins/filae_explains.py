"""Say at the end of a plain ansible-playbook run what stopped it, who acts and the next step, as filae-ops does."""

from __future__ import annotations

import os
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: filae_explains
type: notification
short_description: Refusals of filae-ops, explained
description: Prints after the recap what stopped the run, who must act and the next step.
"""


class CallbackModule(CallbackBase):
    """Collects failures; silent under filae-ops, which explains them itself."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "filae_explains"

    def __init__(self):
        super().__init__()
        self.failures = []
        self.disabled = "FILAE_CONTROL_DIR" in os.environ

    def collect(self, result):
        """Keep what a task said."""
        data = result._result
        if data.get("_ansible_no_log"):
            return
        parts = [str(data.get(key, "")).strip() for key in ("msg", "stderr", "module_stderr")]
        text = "\n".join(part for part in dict.fromkeys(parts) if part)
        self.failures.append({"host": result._host.get_name(), "task": result._task.get_name(), "message": text})

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """Note a failure."""
        if not ignore_errors:
            self.collect(result)

    def v2_runner_on_unreachable(self, result):
        """Note a machine that could not be reached."""
        self.collect(result)

    def v2_playbook_on_stats(self, stats):
        """Explain."""
        if not self.failures:
            return
        try:
            from filae_ops.agent.system.plain_text import plain
            from filae_ops.playbook.refusal import refusal
            from filae_ops.playbook.run import Outcome
        except ImportError:
            return
        error = refusal(Outcome(failures=self.failures), Path())
        self._display.display(plain(f"\nfilae-ops: {error}"), stderr=True)
