"""What is wrong with secrets: who reads them, and where they were written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from material.causes.cause import Cause


def about(path: str, **change: str) -> dict[str, Any]:
    usual = {"mode": "0600", "user": "root", "group": "root"}
    return {"files": {"files": {path: usual | change}, "secret": [path], "loose": []}}


def key_file(**change: Any) -> Any:
    return SimpleNamespace(**({"exists": True, "is_symlink": False, "group": "root", "linked_to": ""} | change))


SECRET = "/etc/filae/secrets/smtp"
LEAKS = {"secrets": 1, "logs": [], "processes": [], "unread": []}
FILES = [
    Cause("files-secret", "readable", "provider", (f"{SECRET} (0644 root)", "chmod 600", "lost"),
          about(SECRET, mode="0644")),
    Cause("files-key", "absent", "provider", ("key.pem is absent", "filae-ops provision"),
          key_file=key_file(exists=False)),
    Cause("files-key", "link", "provider", ("link to /root/x", "remove the link, then filae-ops provision"),
          key_file=key_file(is_symlink=True, linked_to="/root/x")),
    Cause("files-key", "group", "provider", ("group ssl", "chown root:root"), key_file=key_file(group="ssl")),
    Cause("secrets-journal", "written", "provider", ("smtp in the journal", "change the secret"),
          {"leaks": LEAKS | {"logs": ["smtp in the journal"]}}),
    Cause("secrets-processes", "shown", "provider", ("process 7", "stop the process"),
          {"leaks": LEAKS | {"processes": ["smtp in the command line of process 7"]}}),
    Cause("secrets-files", "held", "provider", ("/etc/nginx/x", "remove them there"),
          {"leaks": LEAKS, "exposed": ["smtp in /etc/nginx/x"]}),
]  # fmt: skip
