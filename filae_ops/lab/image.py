"""The base image of a suite, and the image of the lab's own services (name, time, mail, package proxy)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from filae_ops.lab.host import KEYRING, apt_proxy, debian_sources
from filae_ops.lab.shell import run
from filae_ops.lab.state import HOME, locked

SUITES = ("trixie", "bookworm")
WEEK = 7 * 86400
# What a netinst of Debian with "SSH server" brings, as far as the toolkit can tell the difference;
# linux-base makes OpenSCAP see a machine with a kernel.
INCLUDE = (
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,python3,sudo,iproute2,iputils-ping,"
    "ca-certificates,netbase,linux-base,procps,kmod,systemd-timesyncd"
)
SERVICES = ("dnsmasq-base", "tinyproxy-bin", "chrony", "python3-aiosmtpd")
_IN_A_DAY = "[Timer]\nOnCalendar=\nOnActiveSec=1d\nPersistent=no\n"
DROPINS = {
    # The clock of a container is its host's: chronyd answers and measures, and leaves the clock alone.
    "chrony.service": """[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd -x $DAEMON_OPTS
""",
    # Logins that are refused while it boots would count as attacks, and lock the lab out of the machine for 20 s.
    "ssh.service": "[Unit]\nAfter=systemd-user-sessions.service\n",
    # A machine that lives for an hour does not update itself in the middle of what is tried on it.
    "apt-daily.timer": _IN_A_DAY,
    "apt-daily-upgrade.timer": _IN_A_DAY,
}
FINISH = """set -eu
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq --yes dist-upgrade
apt-get clean
rm -rf /usr/sbin/policy-rc.d /etc/ssh/ssh_host_* /var/lib/apt/lists/* /etc/resolv.conf /etc/apt/sources.list
useradd --create-home --shell /bin/bash lab
printf 'lab ALL=(ALL) NOPASSWD: ALL\\n' > /etc/sudoers.d/lab; chmod 440 /etc/sudoers.d/lab
ln -sf /usr/lib/systemd/system/systemd-networkd.service /etc/systemd/system/multi-user.target.wants/
"""
SERVICES_FINISH = f"""set -eu
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq --yes --no-install-recommends install {" ".join(SERVICES)}
apt-get clean; rm -rf /var/lib/apt/lists/*
"""


def ensure_image(suite: str, say: Callable[[str], None]) -> Path:
    """Return the base image's directory, built when absent, a week old, or of another recipe."""
    return _ensure(
        f"{suite}-base",
        [INCLUDE, FINISH, *DROPINS.values(), debian_sources(suite)],
        lambda d: _bootstrap(suite, d),
        say,
    )


def ensure_services(say: Callable[[str], None]) -> Path:
    """Return the root that holds the lab's services: the base image of trixie with their packages."""
    base = ensure_image("trixie", say)
    recipe = ["copied", SERVICES_FINISH, (base / ".recipe").read_text()]
    return _ensure("trixie-services", recipe, lambda d: _copy(base, d), say)


def _ensure(name: str, recipe: list[str], build: Callable[[Path], None], say: Callable[[str], None]) -> Path:
    digest = hashlib.sha256("\0".join(recipe).encode()).hexdigest()
    images = HOME / "images"
    with locked(images / f"{name}.lock"):
        link = images / name
        if link.exists():
            known = json.loads((link.resolve() / ".recipe").read_text())
            if known["digest"] == digest and time.time() - known["built"] < WEEK:
                return link.resolve()
        say(f"building the image {name} (once a week, about half a minute)")
        # A new directory each time: running machines keep the layer that they were started on.
        fresh = images / f"{name}.{os.getpid()}.{int(time.time())}"
        try:
            build(fresh)
            (fresh / ".recipe").write_text(json.dumps({"digest": digest, "built": int(time.time())}))
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        old = link.resolve() if link.exists() else None
        temporary = images / f"{name}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(fresh.name)
        temporary.rename(link)
        if old is not None:
            _discard(old)
        return fresh


def _discard(image: Path) -> None:
    """Remove a replaced image unless a machine, or a lab's services, still stand on it."""
    users = [*HOME.glob("labs/*/machines/*/machine.json"), *Path("/proc").glob("[0-9]*/mountinfo")]
    for path in users:
        with contextlib.suppress(OSError):
            if str(image) in path.read_text():
                return
    shutil.rmtree(image, ignore_errors=True)


def _bootstrap(suite: str, root: Path) -> None:
    sources = debian_sources(suite)
    mirror = next(line.split()[1] for line in sources.splitlines() if line.startswith("URIs:"))
    env = dict(os.environ)
    if proxy := apt_proxy():
        env["http_proxy"] = proxy
    run(
        [
            "debootstrap",
            "--variant=minbase",
            f"--include={INCLUDE}",
            f"--keyring={KEYRING}",
            suite,
            root,
            mirror,
        ],
        env=env,
    )
    (root / "etc/apt/sources.list.d/debian.sources").write_text(sources)
    for unit, text in DROPINS.items():
        path = root / f"etc/systemd/system/{unit}.d/lab.conf"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    _chroot(root, FINISH)


def _copy(base: Path, root: Path) -> None:
    # A copy and not an overlay: on a host whose own root is an overlay, that could not be the upper layer.
    run(["cp", "--archive", "--reflink=auto", base, root])
    _chroot(root, SERVICES_FINISH)


def _chroot(root: Path, script: str) -> None:
    """Run a script in a root, in a mount namespace of its own that vanishes with it."""
    proxy = apt_proxy()
    apt_conf = f'Acquire::http::Proxy "{proxy}";' if proxy else ""
    outer = (
        f"set -eu; mount -t proc proc {root}/proc; mount --bind /dev {root}/dev; "
        f"cp --remove-destination /etc/resolv.conf {root}/etc/resolv.conf; "
        f"printf '%s' '{apt_conf}' > {root}/etc/apt/apt.conf.d/00build; "
        f"chroot {root} /bin/sh -s; rm {root}/etc/apt/apt.conf.d/00build"
    )
    run(["unshare", "--mount", "--propagation", "private", "sh", "-c", outer], input_text=script)
