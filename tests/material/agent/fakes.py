"""A machine in a temporary directory, whose programs are answers of a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import MOST, Result, Runner, require_tool

Answer = Result | Callable[[Sequence[str], str | None], Result]

CONTRACT: dict[str, Any] = {
    "name": "filae",
    "version": "2.1.0",
    "min_from": "2.0.0",
    "ruby": "3.3",
    "debian_packages": ["puma", "ruby-pg"],
    "gems": "debian",
    "env": {"TZ": "UTC"},
    "settings": {"LOG_LEVEL": {"default": "warn"}, "SMTP_HOST": {}},
    "secrets": {
        "secret_key_base": {"generate": "hex64", "env": "SECRET_KEY_BASE"},
        "admin_password": {"generate": "password", "for": "setup"},
        "mail_password": {},
    },
    "database": {"locale": "C.UTF-8", "extensions": ["pg_trgm"]},
    "files": [{"name": "attachments", "path": "storage"}],
    "scratch": ["tmp", "log"],
    "migrate": {"command": ["bin/rake", "db:migrate"], "schema_version": "20260901120000", "kind": "expand"},
    "setup": {"command": ["bin/setup"]},
    "processes": {"web": ["bundle", "exec", "puma"], "worker": ["bin/rake", "jobs:work"]},
    "timers": {"prune": {"command": ["bin/rake", "prune"], "calendar": "daily"}},
    "health": {"path": "/api/health", "status": 200, "version": {"json": "version"}},
    "probe": {"command": ["bin/probe"], "writes": True},
    "memory": 400 * 1024 * 1024,
    "client": {"directory": "public", "otherwise": "index.html", "hashed": [], "max_body": "20m"},
}


# The tree of the least release that has this contract.
FILES = [{"path": "public", "type": "dir", "mode": "0755"}]


class FakeRunner(Runner):
    """Remembers what was run; the first key that begins the command line gives the answer."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.argvs: list[list[str]] = []
        self.stdins: list[str | None] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str | None = None,
        timeout: float = 60,
        env: Mapping[str, str] | None = None,
        most: int = MOST,
    ) -> Result:
        self.argvs.append(list(argv))
        self.stdins.append(stdin)
        line = " ".join(argv)
        for start, answer in self.answers.items():
            if line.startswith(start):
                return answer if isinstance(answer, Result) else answer(argv, stdin)
        return Result(0)

    def stream(
        self, argv: Sequence[str], *, source: Path | None = None, target: Path | None = None, timeout: float = 60
    ) -> None:
        if target is not None:
            target.write_bytes(b"what it writes")
        require_tool(argv, self.run(argv, stdin=source.read_text() if source else None))

    def lines(self) -> list[str]:
        return [" ".join(argv) for argv in self.argvs]


def machine_at(root: Path, answers: Mapping[str, Answer] | None = None, **config: Any) -> tuple[Machine, FakeRunner]:
    """Return a provisioned machine without a release."""
    runner = FakeRunner(answers)
    machine = Machine(Layout(root), runner)
    layout = machine.layout
    for place in (layout.releases, layout.files, layout.scratch, layout.secrets, layout.colours, layout.nginx,
                  layout.units, layout.incoming, layout.receipts, layout.requests, layout.run):  # fmt: skip
        place.mkdir(parents=True, exist_ok=True)
    settings = {"environment": "demo", "public_name": "filae.test", "ca_file": "/etc/filae/tls/served-ca.pem"}
    layout.agent_config.write_text(json.dumps(settings | config))
    layout.settings.write_text(
        json.dumps({"public_host": "filae.test", "environment": "demo", "settings": {"SMTP_HOST": "relay"}})
    )
    return machine, runner


def put_release(machine: Machine, version: str, **changes: Any) -> Path:
    """Put a release's tree on the machine, as staging leaves it; what is changed to None is not stated."""
    release = machine.layout.release(version)
    release.mkdir(parents=True)
    stated = {**CONTRACT, "version": version, "min_from": None, **changes}
    contract = {key: value for key, value in stated.items() if value is not None}
    built = {"by": "filae-ops", "mtime": 0}
    (release / "MANIFEST.json").write_text(
        json.dumps({"contract": contract, "files": FILES, "format": 1, "built": built})
    )
    return release


def make_live(machine: Machine, version: str, colour: str) -> None:
    """Have nginx's include and the colour's file say that a release is live."""
    from filae_ops.agent.frontdoor import nginx

    (machine.layout.nginx / "upstream.conf").write_text(nginx.upstream(colour))
    machine.layout.colour_file(colour).write_text(f"{version}\n")
