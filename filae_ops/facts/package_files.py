"""What Debian's packages put on the disk, by dpkg's own database, and what has changed of it since.

Sources: dpkg(1) --verify, deb-conffiles(5), dpkg-divert(1), dpkg-statoverride(1); /var/lib/dpkg is dpkg's own.
"""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH113, PTH114, PTH116, PTH119, PTH120, PTH123, PTH207

from __future__ import annotations

import functools
import glob
import os
import re
import stat
from collections.abc import Mapping

from filae_ops.facts.gathering import Expected, command, part, read

DATABASE = "/var/lib/dpkg"
MERGED = ("/bin/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/sbin/")
# Nothing here is run or read by what runs: many images are made without these.
READING = re.compile(r"/usr/share/(doc|doc-base|info|locale|man|lintian|bug|gnome/help|omf|groff)(/|$)")
AT_ONCE = 60  # seconds, in which dpkg puts a package there, and its scripts make what is made of it
RECORDS = 10  # seconds, in which dpkg writes its records of a package: one rename after the other
GOOD_STATES = ("installed", "config-files", "not-installed")


def merged(path: str) -> str:
    """Return where a path lies on a system whose /bin, /lib and /sbin are links into /usr."""
    return f"/usr{path}" if path.startswith(MERGED) else path


def owners() -> Mapping[str, str]:
    """Return the package of each path that one put there; a diverted file is where it was diverted to."""
    return _listed()[0]


@functools.cache
def _listed() -> tuple[Mapping[str, str], Mapping[str, set[str]]]:
    """Return the owners, and for each path that is diverted all the packages that bring it."""
    found: dict[str, str] = {}
    diverted = {merged(old): (merged(new), by) for old, new, by in diversions()}
    brought: dict[str, set[str]] = {path: set() for path in diverted}
    for listing in glob.glob(f"{DATABASE}/info/*.list"):
        package = _package(listing)
        with open(listing, encoding="utf-8", errors="replace") as stream:
            for line in stream:
                path = merged(line.rstrip("\n"))
                if path in diverted:
                    brought[path].add(package)
                    path = diverted[path][0] if diverted[path][1] != package else path
                found[path] = package
    return found, brought


def diversions() -> list[tuple[str, str, str]]:
    """Return the diversions: from where, to where, by which package (`:` for one that a person made)."""
    lines = read(f"{DATABASE}/diversions").splitlines()
    return list(zip(lines[::3], lines[1::3], lines[2::3], strict=False))


@functools.cache
def changed() -> Mapping[str, str]:
    """Return what is no longer as its package brought it: `changed` or `missing`, by path."""
    found = {}
    for line in command("dpkg", "--verify", seconds=60, statuses=(0, 1)).splitlines():
        match = re.match(r"(missing|[?.0-9A-Z]{9})\s+(?:[a-z] )?(/\S.*)", line)
        if match and not READING.match(match[2]):
            found[merged(match[2])] = "missing" if match[1] == "missing" else "changed"
    return found


def packaged(path: str) -> bool:
    """Tell whether a path is a package's, and as that brought it."""
    place = merged(path)
    return place in owners() and place not in changed()


def brought_at(path: str) -> float | None:
    """Return when the package of a path put its files there, in seconds since 1970; None when that cannot be told."""
    return _unpacked().get(owners().get(merged(path), ""))


def brought_otherwise(path: str, about: os.stat_result) -> bool:
    """Tell whether a packaged place holds another kind of thing than its package brought, or a link made later.

    dpkg keeps digests of plain files alone, and names folders and links in its lists.
    """
    if READING.match(path):
        return False
    if path in digests():
        return not stat.S_ISREG(about.st_mode)
    if stat.S_ISLNK(about.st_mode):
        return path in _folders() or (not copied() and _late(path, about))
    # Of packages without digests nothing can be told: they are named as a whole.
    return not stat.S_ISDIR(about.st_mode) and owners()[path] not in undigested()


def _late(path: str, about: os.stat_result) -> bool:
    return (brought := brought_at(path)) is not None and about.st_ctime > brought + AT_ONCE


@functools.cache
def copied() -> bool:
    """Tell whether this disk was copied file by file, or restored so: times then tell nothing of what changed."""
    links = [(path, os.lstat(path)) for path in owners() if path.startswith("/usr/lib/") and os.path.islink(path)]
    return 2 * sum(_late(path, about) for path, about in links) > len(links)


@functools.cache
def digests() -> frozenset[str]:
    """Return the plain files that packages brought: those of which dpkg has a digest, and their settings."""
    places = {merged(old): merged(new) for old, new, _ in diversions()}
    found: set[str] = set()
    for record in glob.glob(f"{DATABASE}/info/*.md5sums"):
        with open(record, encoding="utf-8", errors="replace") as stream:
            found.update(merged(f"/{row[34:].rstrip()}") for row in stream)
    found |= {places[path] for path in found & places.keys()}
    return frozenset(found | {merged(path) for path in re.findall(r"^ (/.*) [0-9a-f]{32}", _status(), re.M)})


@functools.cache
def _folders() -> frozenset[str]:
    """Return the folders in which packages put something."""
    return frozenset(os.path.dirname(path) for path in owners())


@functools.cache
def undigested() -> frozenset[str]:
    """Return the installed packages that have plain files, and no digests of them."""
    installed = set(re.findall(r"^Package: (\S+)\nStatus: \S+ \S+ installed$", _status(), re.M))
    with_digests = {_package(record) for record in glob.glob(f"{DATABASE}/info/*.md5sums")}
    bare = installed - with_digests
    return frozenset(package for path, package in owners().items() if package in bare and os.path.isfile(path))


@functools.cache
def _unpacked() -> Mapping[str, float]:
    """Return when dpkg wrote its first record of each package, by ctime, which no tool sets.

    Its list of files is left out: it is written again when another package takes over one of them.
    """
    found: dict[str, float] = {}
    for stem, times in _records().items():
        package = stem.partition(":")[0]
        found[package] = max(found.get(package, 0.0), min(times.values()))
    return found


@functools.cache
def _records() -> Mapping[str, Mapping[str, float]]:
    """Return when each of dpkg's records of a package was written, by package with its architecture, then by path."""
    found: dict[str, dict[str, float]] = {}
    for record in sorted(glob.glob(f"{DATABASE}/info/*.*")):
        stem, _, kind = os.path.basename(record).rpartition(".")
        if kind != "list":
            found.setdefault(stem, {})[record] = os.stat(record).st_ctime
    return found


def _package(record: str) -> str:
    """Return the package of one of dpkg's records: `/var/lib/dpkg/info/libc6:amd64.md5sums`."""
    return os.path.basename(record).rpartition(".")[0].partition(":")[0]


@functools.cache
def script(package: str, name: str) -> str:
    """Return the text of a script of a package: `postinst`, `preinst`, `postrm` or `prerm`."""
    places = [f"{DATABASE}/info/{package}.{name}", *glob.glob(f"{DATABASE}/info/{glob.escape(package)}:*.{name}")]
    return "".join(map(read, places))


def _rewritten() -> list[dict[str, str]]:
    """Return the digests, scripts and other records that dpkg keeps of a package and that changed after it came."""
    return [
        {"path": path, "package": stem.partition(":")[0]}
        for stem, times in _records().items()
        for path, written in times.items()
        if written > min(times.values()) + RECORDS
    ]


@functools.cache
def _status() -> str:
    return read(f"{DATABASE}/status")


@part
def packages(_: Expected) -> dict[str, object]:
    """Return the packages that are half-way, those of no source or digests, and what people diverted or changed."""
    text = _status()
    states = re.findall(r"^Package: (\S+)\nStatus: (\S+) (\S+) (\S+)$", text, re.M)
    # A package that changed hands has lost its state only when `reinstreq` or a word of these says so.
    half = [f"{name} ({flag} {state})" for name, _, flag, state in states if state not in GOOD_STATES or flag != "ok"]
    return {
        "half": sorted(half),
        "diverted": sorted(f"{old} to {new}" for old, new, by in diversions() if not _of_a_package(old, new, by)),
        "sourceless": _sourceless(text),
        "rewritten": _rewritten(),
        "undigested": sorted(undigested()),
        "copied": copied(),
    }


def _of_a_package(old: str, new: str, by: str) -> bool:
    """Tell whether a package diverts for a file of its own, or for /usr's merge: by hand, any name can be given."""
    return new.endswith(".usr-is-merged") or by in _listed()[1].get(merged(old), set())


def _sourceless(text: str) -> list[str] | None:
    """Return the installed packages that no list of apt's sources has; None where there are no lists to tell by."""
    lists = glob.glob("/var/lib/apt/lists/*_Packages")
    if not lists:
        return None
    offered: set[bytes] = set()
    for path in lists:
        with open(path, "rb") as stream:
            offered.update(re.findall(rb"^Package: (\S+)$", stream.read(), re.M))
    installed = re.findall(r"^Package: (\S+)\nStatus: \S+ \S+ installed$", text, re.M)
    return sorted(name for name in installed if name.encode() not in offered)
