"""Links that no package holds and that its scripts made: each leads where a package's own list says.

Sources: update-alternatives(1), deb-systemd-helper(1p), systemd.preset(5), update-rc.d(8), update-ca-certificates(8).
"""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH118, PTH119, PTH120, PTH207

from __future__ import annotations

import fnmatch
import functools
import glob
import os
import re
from collections.abc import Mapping

from filae_ops.facts.gathering import read
from filae_ops.facts.package_files import merged, packaged

# The links that scripts of packages and the installer make.
LINKS = {
    "/etc/mtab": "../proc/self/mounts",
    "/etc/default/locale": "../locale.conf",
    "/etc/vconsole.conf": "default/keyboard",
    "/etc/dpkg/origins/default": "debian",
    "/etc/nginx/sites-enabled/default": "/etc/nginx/sites-available/default",
    "/usr/local/man": "share/man",
}
# Where scripts of packages make links that no program takes orders from.
PICTURES = tuple(
    f"/usr/share/{name}/" for name in ("fonts", "icons", "images", "java", "javascript", "mime", "pixmaps")
)
UNITS = "/usr/lib/systemd"
ENABLED = "/var/lib/systemd/deb-systemd-helper-enabled"


def made_by(path: str, target: str) -> str:
    """Return which tool made a link so; nothing when none would have."""
    name, whole = (
        os.path.basename(path),
        merged(os.path.normpath(os.path.join(os.path.dirname(path), target))),
    )
    if LINKS.get(path) == target:
        return "a link of the installer's"
    # Whatever writes the list of name servers does so below /run, where root alone writes; the list itself is compared.
    if path == "/etc/resolv.conf":
        return "a resolver" if whole.startswith("/run/") else ""
    if path.startswith("/etc/alternatives/") or target.startswith("/etc/alternatives/"):
        return "update-alternatives" if _alternative(path, target) else ""
    if re.fullmatch(r"/etc/rc[0-6S]\.d/[SK]\d\d.+", path):
        return "update-rc.d" if target == f"../init.d/{name[3:]}" and packaged(f"/etc/init.d/{name[3:]}") else ""
    if path.startswith("/etc/ssl/certs/"):
        # A hash leads to a certificate here, and a hospital's own authority to its source: both are told themselves.
        local = whole.startswith("/usr/local/share/ca-certificates/") and name.endswith(".pem")
        known = packaged(whole) and whole.startswith("/usr/share/ca-certificates/")
        hashed = re.fullmatch(r"[0-9a-f]{8}\.\d", name) and whole.startswith("/etc/ssl/certs/")
        return "update-ca-certificates" if local or known or hashed else ""
    if path.startswith(("/etc/systemd/system/", "/etc/systemd/user/")):
        return "systemctl" if _enabled(path, whole) else ""
    return "a link" if path.startswith(PICTURES) and packaged(whole) else ""


def _alternative(path: str, target: str) -> bool:
    """Tell whether a link is one that update-alternatives keeps: its own list of names and of choices has both."""
    if not path.startswith(("/etc/alternatives/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/share/")):
        return False
    if path.startswith("/etc/alternatives/"):
        choices = _alternatives().get(path.rpartition("/")[2], set())
        return target in choices and packaged(target)
    choices = _alternatives().get(target.rpartition("/")[2], set())
    return path in choices or path.removeprefix("/usr") in choices


@functools.cache
def _alternatives() -> Mapping[str, set[str]]:
    """Return the paths in each list of choices that a package makes, by the name of the choice and what follows it."""
    found: dict[str, set[str]] = {}
    scripts = "\n".join(text for text in map(read, glob.glob("/var/lib/dpkg/info/*.p*inst")) if "alternatives" in text)
    for listing in glob.glob("/var/lib/dpkg/alternatives/*"):
        rows = read(listing).splitlines()
        head = rows[1 : rows.index("")] if "" in rows else []
        if not head or not _of_a_package(os.path.basename(listing), head[0], scripts):
            continue
        names = [os.path.basename(listing), *head[1::2]]
        for name in names:
            found.setdefault(name, set()).update(row for row in rows if row.startswith("/"))
    return found


def _of_a_package(name: str, link: str, scripts: str) -> bool:
    """Tell whether a package's script has that choice: by its link, or in a loop over names."""
    if re.search(rf"(?<!\S)[\"']?{re.escape(link)}[\"']?(?!\S)", scripts):
        return True
    usual = link == f"/usr/bin/{name}" or link.startswith("/usr/share/man/")
    return usual and bool(re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])", scripts))


def _enabled(path: str, whole: str) -> bool:
    """Tell whether a package's unit is enabled as its own [Install] section says, and no preset forbids it."""
    unit, kind = os.path.basename(path), path.split("/")[3]
    recorded = os.path.lexists(f"{ENABLED}/{path.removeprefix('/etc/systemd/system/')}")
    if recorded and not os.path.lexists(whole):  # of a package that was removed
        return True
    if not (whole.startswith(f"{UNITS}/{kind}/") and packaged(whole)) or not _preset(os.path.basename(whole)):
        return False
    if recorded:
        return True
    text = read(whole)
    folder = os.path.basename(os.path.dirname(path))
    if folder == kind:
        return unit in " ".join(re.findall(r"^Alias=(.*)$", text, re.M)).split()
    wanted, _, word = folder.rpartition(".")
    keys = {"wants": "WantedBy", "requires": "RequiredBy", "upholds": "UpheldBy"}
    rows = re.findall(rf"^{keys.get(word, 'No')}=(.*)$", text, re.M)
    same = os.path.basename(whole) in (unit, re.sub(r"@[^.]*\.", "@.", unit))
    return same and wanted in " ".join(rows).split()


@functools.cache
def _presets() -> list[tuple[str, str]]:
    found = {os.path.basename(path): path for path in sorted(glob.glob(f"{UNITS}/system-preset/*.preset"))}
    rows = [row.split() for name in sorted(found) for row in read(found[name]).splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) >= 2 and row[0] in ("enable", "disable")]


def _preset(unit: str) -> bool:
    return next((verb == "enable" for verb, pattern in _presets() if fnmatch.fnmatchcase(unit, pattern)), True)
