"""What every part of the agent works with: paths, settings, a runner, and what is live."""

from __future__ import annotations

import grp
import os
import pwd
import re
from dataclasses import dataclass
from functools import cached_property

from filae_ops.agent.system.config import Config, agent_config
from filae_ops.agent.system.layout import APP_USER, COLOURS, Layout
from filae_ops.agent.system.process import Runner
from filae_ops.agent.system.versions import is_version, version_key

_LIVE = re.compile(r"^\s*server\s+unix:/run/filae/web-(blue|green)\.sock;", re.M)


@dataclass(frozen=True)
class Live:
    """The release behind the front door, by nginx's include and the colour's file."""

    version: str
    colour: str


class Machine:
    """One machine, as the agent sees it."""

    def __init__(self, layout: Layout | None = None, runner: Runner | None = None) -> None:
        self.layout = layout or Layout()
        self.runner = runner or Runner()

    @cached_property
    def config(self) -> Config:
        """Return the agent's settings."""
        return agent_config(self.layout)

    def live(self) -> Live | None:
        """Return what nginx is configured to serve, or None before the first release."""
        try:
            text = (self.layout.nginx / "upstream.conf").read_text()
        except OSError:
            return None
        match = _LIVE.search(text)
        version = self.version_in(match[1]) if match else ""
        return Live(version, match[1]) if match and version else None

    def version_in(self, colour: str) -> str:
        """Return the version that a colour runs, or nothing."""
        try:
            version = self.layout.colour_file(colour).read_text().strip()
        except OSError:
            return ""
        return version if is_version(version) else ""

    def kept(self) -> list[str]:
        """Return the versions whose tree is on the machine, oldest first."""
        if not self.layout.releases.is_dir():
            return []
        return sorted((p.name for p in self.layout.releases.iterdir() if is_version(p.name)), key=version_key)

    @cached_property
    def app_ids(self) -> tuple[int, int]:
        """Return the user and group numbers of the application (the caller's own when not root, in tests)."""
        if os.geteuid() != 0 or self.layout.root.name:
            return os.geteuid(), os.getegid()
        return pwd.getpwnam(APP_USER).pw_uid, grp.getgrnam(APP_USER).gr_gid


def other(colour: str | None) -> str:
    """Return the colour to use beside this one."""
    return COLOURS[1] if colour == COLOURS[0] else COLOURS[0]
