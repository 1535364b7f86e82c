"""What the lab asks of its host: root, Debian or Ubuntu, and a handful of packages."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from filae_ops.errors import OpsError
from filae_ops.lab.shell import run

# command that must be there -> Debian package that brings it
NEEDS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "mkfs.ext4": "e2fsprogs",
    "losetup": "mount",
    "unshare": "util-linux",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "zstd": "zstd",
}
# What the tests ask of the host besides: rules, certificates and pages are checked by the real tools.
TEST_NEEDS = {
    "nft": "nftables",
    "openssl": "openssl",
    "git": "git",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "certutil": "libnss3-tools",
    "strace": "strace",
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def require_host() -> None:
    """Refuse in one sentence a host on which no lab machine can run."""
    if os.geteuid() != 0:
        raise OpsError(
            "disposable machines need root on this host (mounts, network bridge)",
            next_step="run the same command with sudo; `init`, `doctor` and the unit tests work without root",
        )
    system = _os_release().get("ID", "unknown") + " " + _os_release().get("ID_LIKE", "")
    if not {"debian", "ubuntu"} & set(system.split()):
        raise OpsError(
            f"disposable machines run on a Debian or Ubuntu host, this one is {system.strip()}",
            next_step="use a Debian 12 or 13 host; `init`, `doctor` and the unit tests work here",
        )


def missing_packages(needs: Mapping[str, str] = NEEDS) -> list[str]:
    """Return the Debian packages that the host lacks, in order."""
    lacking = {package for command, package in needs.items() if shutil.which(command) is None}
    if not KEYRING.exists():
        lacking.add("debian-archive-keyring")
    return sorted(lacking)


def install_missing(say: Callable[[str], None], needs: Mapping[str, str] = NEEDS) -> None:
    """Install what the host lacks and say what; nothing else on the host changes."""
    packages = missing_packages(needs)
    if not packages:
        return
    say(f"installing on this host: {' '.join(packages)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "-qq", "update"], env=env)
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    run(["apt-get", "-qq", *wait, "install", "--yes", "--no-install-recommends", *packages], env=env)


def apt_proxy() -> str | None:
    """Return the HTTP proxy that the host's apt uses, or None."""
    dump = run(["apt-config", "dump", "Acquire::http::Proxy"], check=False).stdout
    found = re.search(r'Acquire::http::Proxy "([^"]+)"', dump)
    value = found.group(1) if found else os.environ.get("http_proxy", "")
    return value if value and value.upper() != "DIRECT" else None


def debian_sources(suite: str) -> str:
    """Return the host's own Debian apt sources with the suite rewritten, in deb822 form."""
    host_suite = _os_release().get("VERSION_CODENAME", "")
    stanzas = []
    for uris, suites, components in _entries(Path("/etc/apt")):
        kept = [s for s in suites if s == host_suite or s.startswith(f"{host_suite}-")]
        kept = [s for s in kept if s.removeprefix(host_suite) in ("", "-updates", "-security")]
        if not kept or "main" not in components or _os_release().get("ID") != "debian":
            continue
        renamed = " ".join(s.replace(host_suite, suite, 1) for s in kept)
        stanzas.append(
            f"Types: deb\nURIs: {' '.join(uris)}\nSuites: {renamed}\nComponents: main\nSigned-By: {KEYRING}\n"
        )
    if mirror := os.environ.get("FILAE_LAB_MIRROR"):
        stanzas = [
            f"Types: deb\nURIs: {mirror}\nSuites: {suite} {suite}-updates\nComponents: main\nSigned-By: {KEYRING}\n"
        ]
    if not stanzas:
        raise OpsError(
            "this host's apt sources name no Debian mirror",
            next_step="give one: FILAE_LAB_MIRROR=http://mirror.example/debian ./filae-ops lab up",
        )
    return "\n".join(stanzas)


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _entries(apt: Path) -> list[tuple[list[str], list[str], list[str]]]:
    """Return (uris, suites, components) of every enabled binary source, of both formats."""
    found = []
    for path in sorted(apt.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8", errors="replace")):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
            if "deb" in fields.get("Types", "").split() and fields.get("Enabled", "yes").strip() != "no":
                found.append((fields["URIs"].split(), fields["Suites"].split(), fields.get("Components", "").split()))
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        if path.is_file():
            for line in re.findall(r"^deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)\s+(.*)$", path.read_text(), re.MULTILINE):
                found.append(([line[0]], [line[1]], line[2].split()))
    return found
