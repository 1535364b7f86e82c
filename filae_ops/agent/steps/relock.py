"""The step that makes locks again, after Debian's Ruby packages were updated."""

from __future__ import annotations

from pathlib import Path

from filae_ops.agent.bundle import archive
from filae_ops.agent.release import gem_lock, outdated, store
from filae_ops.agent.steps.base import Deploy, Found
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

NAME, RECORD = "Gemfile.lock", "record.json"


class Relock(Deploy):
    """Gemfile.lock of the release that is to start, and of the others kept, naming gems that are there."""

    name = "relock"

    def do(self) -> Found:
        """Make the stale locks again; a kept release that cannot be locked any more holds nothing up."""
        machine, wanted = self.machine, self.plan.version
        archive.verify_tree(machine.layout.release(wanted), store.links(machine, self.contract))
        made, lost = [], {}
        for version in [wanted, *(v for v in machine.kept() if v != wanted)]:
            if not outdated.gone(machine.layout, version):
                continue
            self._keep(version)
            try:
                gem_lock.lock_again(machine, version)
            except Failed as exc:
                if version == wanted:
                    raise
                lost[version] = str(exc)
            else:
                made.append(version)
        return {"relocked": made, "cannot_be_locked": lost}

    def undo(self) -> Found:
        """Put the former locks back, with what was recorded of them."""
        place = saved(self.machine, self.plan.id)
        found = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
        for version in found:
            if (tree := self.machine.layout.release(version)).is_dir():
                if (recorded := place / version / RECORD).exists():
                    durable.write(outdated.record(self.machine.layout, version), recorded.read_bytes(), 0o600)
                if (lock := place / version / NAME).exists():
                    durable.write(tree / NAME, lock.read_bytes())
        return {"restored": found}

    def _keep(self, version: str) -> None:
        place, recorded = saved(self.machine, self.plan.id), outdated.record(self.machine.layout, version)
        for path in (place, place / version):
            durable.directory(path, 0o700)
        if not (place / version / NAME).exists():
            if recorded.exists():
                durable.write(place / version / RECORD, recorded.read_bytes(), 0o600)
            durable.write(place / version / NAME, (self.machine.layout.release(version) / NAME).read_bytes(), 0o600)


def saved(machine: Machine, tx: str) -> Path:
    """Return where the locks that a transaction replaces are kept."""
    return machine.layout.requests / f"{tx}.locks"
