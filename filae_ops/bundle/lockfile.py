"""Read Bundler's two files without Ruby: the lock in full, and of the Gemfile the groups of its gems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

IDLE_GROUPS = {"development", "test"}
_SPEC = re.compile(r"^    (\S+) \(([^)]+)\)$")
_NEEDS = re.compile(r"^      (\S+)")
_BLOCK = re.compile(r"\bdo\b\s*(\|[^|]*\|)?\s*$|^\s*(if|unless|case|begin|while|until|def)\b")
_SYMBOLS = re.compile(r"[:\"'](\w+)")
_INLINE = re.compile(r"(?:\bgroups?:|:groups?\s*=>)\s*(\[[^\]]*\]|[:\"']\w+)")


@dataclass
class Spec:
    """A gem of the lock, as one of its sources gives it; `full` has the platform behind the version."""

    name: str
    version: str
    kind: str
    remote: str
    revision: str
    needs: list[str] = field(default_factory=list)

    @property
    def full(self) -> str:
        """Return name and version, as directories of gems are named."""
        return f"{self.name}-{self.version}"

    @property
    def platform(self) -> str:
        """Return the platform for which it was built, or nothing."""
        return self.version.partition("-")[2]


@dataclass
class Lock:
    """What a Gemfile.lock says."""

    specs: list[Spec] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)

    def reached(self, roots: set[str]) -> list[Spec]:
        """Return the gems that these need, themselves included."""
        by_name: dict[str, list[Spec]] = {}
        for spec in self.specs:
            by_name.setdefault(spec.name, []).append(spec)
        todo, seen = sorted(roots), set[str]()
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += [need for spec in by_name.get(name, []) for need in spec.needs]
        return [spec for spec in self.specs if spec.name in seen]


def read_lock(text: str) -> Lock:
    """Read a Gemfile.lock; what is unknown in it is passed over."""
    lock, section, remote, revision = Lock(), "", "", ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            section, remote, revision = line.strip(), "", ""
        elif section in ("GEM", "GIT", "PATH"):
            if line.startswith("  remote: "):
                remote = line.removeprefix("  remote: ").strip()
            elif line.startswith("  revision: "):
                revision = line.removeprefix("  revision: ").strip()
            elif found := _SPEC.match(line):
                lock.specs.append(Spec(found[1], found[2], section, remote, revision))
            elif (found := _NEEDS.match(line)) and lock.specs:
                lock.specs[-1].needs.append(found[1])
        elif section == "DEPENDENCIES" and line.strip():
            lock.wanted.append(line.split()[0].rstrip("!"))
    return lock


def idle_gems(gemfile: str) -> set[str]:
    """Return the gems that only the groups development and test name: no process loads them."""
    idle, needed = set[str](), set[str]()
    for name, groups in _gems(gemfile):
        (idle if groups and groups <= IDLE_GROUPS else needed).add(name)
    return idle - needed


def _gems(gemfile: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each gem with its groups; Ruby that says it otherwise yields none, and the gem is needed."""
    blocks: list[set[str]] = []
    for raw in gemfile.splitlines():
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if found := re.match(r"gem[ (]+[\"']([^\"']+)[\"']", line):
            inline = _INLINE.search(line)
            own = set(_SYMBOLS.findall(inline[1])) if inline else set[str]()
            yield found[1], own.union(*blocks)
        elif line == "end" and blocks:
            blocks.pop()
        elif _BLOCK.search(line):
            head = re.match(r"group[ (]+(.*?)\)?\s*do\b", line)
            blocks.append(set(_SYMBOLS.findall(head[1])) if head else set())
