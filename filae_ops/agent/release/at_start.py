"""A release's lock made again just before one of its processes starts, where Debian's gems have changed."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from filae_ops.agent.release.outdated import gone
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed


def before_start(layout: Layout, instance: str, inherited: Mapping[str, str]) -> int:
    """Make a release's lock again where its gems are gone, just before a process starts; else be quick.

    Packages may be updated at any time, and a process may crash, or the machine restart, before `refresh` has
    come: without this, nothing of the release would start until then.
    """
    from filae_ops.agent.runtime import launcher

    version = launcher.version_of(layout, instance, inherited)
    if not (names := gone(layout, version)):
        return 0
    from filae_ops.agent.release import gem_lock  # not at the top: nearly every start ends before this line

    try:
        gem_lock.lock_again(Machine(layout), version, bound=False)
    except (Failed, Refused) as exc:
        sys.stderr.write(f"filaectl: {version} cannot be locked again: {exc}\n")
        return 1
    sys.stderr.write(f"filaectl: {version} is locked again, as these gems are gone: {', '.join(names)}\n")
    return 0
