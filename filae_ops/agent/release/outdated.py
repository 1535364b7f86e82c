"""What the live release runs with that is no longer what the machine has: Debian's packages were updated.

Everything here is read from files, in some milliseconds: no Ruby is started to find that nothing changed.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.system.plain_file import open_leading_into

_SPEC = re.compile(r"^    (\S+) \(([^()\s]+)\)$", re.M)
_GEMSPEC = re.compile(r"/specifications/(?:default/)?([^/]+)-\d[^/-]*(?:-[^/]*)?\.gemspec$", re.M)
_RUBY = re.compile(r"(?:lib)?ruby\d+\.\d+")
_MAPPED = ("/usr/", "/lib/", "/lib64/", "/var/lib/gems/")
# Data, not code: what a process read of its language when it started holds until it ends.
_DATA = ("/usr/lib/locale/", "/usr/share/locale/", "/usr/share/zoneinfo/")
# Where Debian's Ruby looks for gems.
GEM_HOMES = (
    "usr/share/rubygems-integration/*", "usr/lib/*/rubygems-integration/*", "usr/lib/ruby/gems/*",
    "usr/lib/*/ruby/gems/*", "var/lib/gems/*", "usr/local/lib/ruby/gems/*",
)  # fmt: skip


def locked(text: str) -> set[tuple[str, str]]:
    """Return the gems that a Gemfile.lock takes from the machine: name and version."""
    found: set[tuple[str, str]] = set()
    for section in re.split(r"\n(?=\S)", text):
        if section.startswith("GEM\n"):
            found |= {(m[1], m[2]) for m in _SPEC.finditer(section)}
    return found


def installed(layout: Layout) -> set[str]:
    """Return the gems of the machine, as `name-version`."""
    found = set()
    for home in GEM_HOMES:
        for place in ("specifications", "specifications/default"):
            found |= {path.name.removesuffix(".gemspec") for path in layout.root.glob(f"{home}/{place}/*.gemspec")}
    return found


def gone(layout: Layout, version: str, text: str | None = None) -> list[str]:
    """Return the gems that a release's lock names and the machine has no longer; nothing without such a lock."""
    tree = layout.release(version)
    if text is None and (not locks_here(tree, of_release(tree)) or (text := _lock(tree)) is None):
        return []
    present = installed(layout)
    wanted = {f"{name}-{found}" for name, found in locked(text)}
    return sorted(wanted - present - set(never_there(layout, version)))


def locks_here(tree: Path, contract: Contract) -> bool:
    """Tell whether the lock of a release is made on this machine."""
    return contract.data.get("gems") == "debian" and (tree / "Gemfile").is_file()


def record(layout: Layout, version: str) -> Path:
    """Return where it is kept how a lock was made here: its digest, and the gems that were never on the machine."""
    return layout.state / "locks" / f"{version}.json"


def never_there(layout: Layout, version: str) -> list[str]:
    """Return the gems that were locked without being on the machine: those of development and test."""
    return [str(name) for name in _recorded(layout, version, "absent") or ()]


def lock_digest(layout: Layout, version: str) -> str:
    """Return the sha256 of the lock that was made here, or nothing when none is recorded."""
    return str(_recorded(layout, version, "sha256") or "")


def _recorded(layout: Layout, version: str, key: str) -> Any:
    try:
        return json.loads(record(layout, version).read_text())[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def reasons(machine: Machine, live: Live) -> list[str]:
    """Return why the live release must be started again, in words; nothing when all is as at its start."""
    contract = of_release(machine.layout.release(live.version))
    found = [f"gems of its lock are gone: {_some(names)}"] if (names := gone(machine.layout, live.version)) else []
    libraries: set[str] = set()
    packages: set[str] = set()
    for unit in units_of(contract, live.colour):
        started, pids = _processes(machine, unit)
        libraries |= {name for pid in pids for name in replaced(machine.layout.root, pid)}
        if started:
            packages |= set(unpacked_since(machine, live.version, started))
    if libraries:
        found.append(f"it runs on libraries that were replaced: {_some(sorted(libraries))}")
    if packages:
        found.append(f"Ruby packages were updated after its start: {_some(sorted(packages))}")
    return found


def units_of(contract: Contract, colour: str) -> list[str]:
    """Return the services of a live release."""
    return [f"filae-web@{colour}.service", *(f"filae-worker@{name}-{colour}.service" for name in contract.workers)]


def replaced(root: Path, pid: str) -> list[str]:
    """Return the files of packages that a process maps and that are deleted or replaced on the disk."""
    try:
        lines = (root / "proc" / pid / "maps").read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = set()
    for line in lines:
        path = line.split(None, 5)[-1] if line.endswith(" (deleted)") else ""
        if path.startswith(_MAPPED) and not path.startswith(_DATA):
            found.add(Path(path.removesuffix(" (deleted)")).name.removesuffix(".dpkg-tmp").removesuffix(".dpkg-new"))
    return sorted(found)


def unpacked_since(machine: Machine, version: str, when: float) -> list[str]:
    """Return the packages of Ruby itself, or of the release's gems, that dpkg unpacked after a time."""
    lock = _lock(machine.layout.release(version))
    names = None if lock is None else {name for name, _ in locked(lock)}
    found = []
    for path in (machine.layout.root / "var/lib/dpkg/info").glob("*.list"):
        package = path.stem.partition(":")[0]
        if path.stat().st_mtime > when and (_RUBY.fullmatch(package) or _holds(path, names)):
            found.append(package)
    return sorted(found)


def _lock(tree: Path) -> str | None:
    """Return the lock of a release, or None without one: a link out of the tree leads where its user writes."""
    try:
        with io.TextIOWrapper(open_leading_into(tree, tree / "Gemfile.lock"), "utf-8", "replace") as stream:
            return stream.read()
    except OSError:
        return None


def _holds(listed: Path, names: set[str] | None) -> bool:
    """Tell whether a package holds one of these gems (any gem, when they are not known)."""
    gems = {match[1] for match in _GEMSPEC.finditer(listed.read_text(errors="replace"))}
    return bool(gems if names is None else gems & names)


def _processes(machine: Machine, unit: str) -> tuple[float, list[str]]:
    """Return when a service was started and its processes; (0, nothing) when it does not run."""
    argv = ["systemctl", "show", unit, "--timestamp=unix"]
    argv += [f"--property={name}" for name in ("MainPID", "ControlGroup", "ExecMainStartTimestamp")]
    lines = machine.runner.run(argv).out.splitlines()
    shown = dict(line.split("=", 1) for line in lines if "=" in line)
    if shown.get("MainPID", "0") == "0":
        return 0, []
    when = shown.get("ExecMainStartTimestamp", "").removeprefix("@")
    group = machine.layout.root / "sys/fs/cgroup" / shown.get("ControlGroup", "").lstrip("/") / "cgroup.procs"
    return float(when) if when.isdigit() else 0, list(_pids(group)) or [shown["MainPID"]]


def _pids(group: Path) -> Iterator[str]:
    try:
        yield from group.read_text().split()
    except OSError:
        return


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
