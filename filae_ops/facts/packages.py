"""Security updates: what waits, and whether they come by themselves."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH116, PTH207

from __future__ import annotations

import contextlib
import glob
import os
import re
from typing import Any

from filae_ops.facts.gathering import Expected, command, part, read

STAMPS = "/var/lib/apt/periodic"


@part
def updates(_: Expected) -> dict[str, Any]:
    """Return the security updates that wait, the age of the lists, and unattended-upgrades' settings."""
    plan = command("apt-get", "-s", "-q", "-o", "Debug::NoLocking=1", *_cache(), "dist-upgrade", seconds=20)
    waiting = re.findall(r"^Inst (\S+) .*\(\S+ [^)]*Debian-Security", plan, re.M)
    lists = [os.stat(path).st_mtime for path in glob.glob("/var/lib/apt/lists/*InRelease")]
    lists += [_stamp("update-success-stamp")]
    settings = dict(re.findall(r'^([\w:-]+) "(.*)";$', command("apt-config", "dump"), re.M))
    wanted = (
        "APT::Periodic::Unattended-Upgrade",
        "APT::Periodic::Update-Package-Lists",
        "Unattended-Upgrade::Automatic-Reboot",
    )
    return {
        "waiting": sorted(waiting),
        "held": command("apt-mark", "showhold").split(),
        "lists": max(lists),
        "applied": _stamp("unattended-upgrades-stamp"),
        "settings": {name: settings.get(name, "") for name in wanted},
        "origins": [v for k, v in re.findall(r'^(\S+) "(.*)";$', _dump(), re.M) if "Origins-Pattern" in k and v],
        "untrusted": _untrusted(),
    }


def _cache() -> list[str]:
    """Have apt work without its cache where it would write it again: that takes a second, and changes nothing."""
    sources = ["/var/lib/dpkg/status", "/var/lib/apt/lists", "/etc/apt/sources.list.d"]
    with contextlib.suppress(OSError):
        if os.stat("/var/cache/apt/pkgcache.bin").st_mtime > max(os.stat(path).st_mtime for path in sources):
            return []
    return ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="]


def _dump() -> str:
    return command("apt-config", "dump", "Unattended-Upgrade::Origins-Pattern")


def _stamp(name: str) -> float:
    try:
        return os.stat(f"{STAMPS}/{name}").st_mtime
    except OSError:
        return 0.0


def _untrusted() -> list[str]:
    """Return the package sources that are used without a signature."""
    found = []
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        if re.search(r"trusted\s*[=:]\s*yes|allow-insecure\s*[=:]\s*yes", read(path), re.I):
            found.append(path)
    options = command("apt-config", "dump", "APT::Get::AllowUnauthenticated")
    return [*found, *(["APT::Get::AllowUnauthenticated"] if '"true"' in options or '"1"' in options else [])]


@part
def versions(_: Expected) -> dict[str, str]:
    """Return the versions of the programs whose support ends."""
    form = "-f=${Package} ${Version} ${db:Status-Abbrev}\n"
    text = command("dpkg-query", "-W", form, "postgresql-[0-9]*", "ruby[0-9]*", "nginx", statuses=(0, 1))
    found = {}
    for name, version, *state in (line.split() for line in text.splitlines() if line.strip()):
        if state and state[0].startswith("ii") and re.fullmatch(r"(postgresql-|ruby)[0-9.]+|nginx", name):
            found[name] = version
    return found
