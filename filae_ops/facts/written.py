"""Which file sets what, where several files of settings are read one after the other."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH207

from __future__ import annotations

import glob
import re

from filae_ops.facts.gathering import Expected, part, read

FILES = {
    "sshd": ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"),
    "journald": (
        "/etc/systemd/journald.conf", "/etc/systemd/journald.conf.d/*.conf", "/run/systemd/journald.conf.d/*.conf",
        "/usr/lib/systemd/journald.conf.d/*.conf",
    ),
    "apt": ("/etc/apt/apt.conf", "/etc/apt/apt.conf.d/*"),
}  # fmt: skip
LINES = {
    "sshd": r"^[ \t]*(\w+)[ \t=]+(.*?)[ \t]*$",
    "journald": r"^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$",
    "apt": r'^[ \t]*([\w:-]+)[ \t]+"(.*)"[ \t]*;',
}


@part
def written(_: Expected) -> dict[str, dict[str, dict[str, str]]]:
    """Return, by program and file, each setting in small letters and its first value."""
    return {
        program: {path: _settings(LINES[program], read(path)) for form in forms for path in sorted(glob.glob(form))}
        for program, forms in FILES.items()
    }


def _settings(form: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in re.findall(form, text, re.M):
        found.setdefault(name.lower(), value)
    return found
