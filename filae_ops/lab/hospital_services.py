"""What a hospital offers to its machines, on the lab's bridge: names, time, mail relay, package proxy.

Run as `python -m filae_ops.lab.hospital_services LAB GATEWAY IMAGE`: one process holds the lock, mounts the image
in a mount namespace of its own, starts the four services inside and dies with them.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from filae_ops.errors import OpsError
from filae_ops.lab.bridge import lab_dir
from filae_ops.lab.host import apt_proxy, debian_sources
from filae_ops.lab.shell import run
from filae_ops.lab.state import hold, is_held, locked

DOMAIN = "filae.test"
PROXY_PORT = 3128
START_SECONDS = 60


def ensure_running(lab: str, gateway: str, image: Path) -> None:
    """Start the lab's services unless they run; return when names, mail relay and package proxy answer."""
    with locked(lab_dir(lab) / "services.start.lock"):
        if not _ready(lab):
            _start(lab, gateway, image)


def _ready(lab: str) -> bool:
    return is_held(lab_dir(lab) / "services.lock") and (lab_dir(lab) / "services.ready").exists()


def _start(lab: str, gateway: str, image: Path) -> None:
    (lab_dir(lab) / "hosts").mkdir(exist_ok=True)
    names = " ".join(f"{name}.{DOMAIN}" for name in ("ns", "time", "mail", "apt"))
    (lab_dir(lab) / "hosts" / "gateway").write_text(f"{gateway} {names}\n")
    (lab_dir(lab) / "services.ready").unlink(missing_ok=True)
    # A pid namespace: whichever way its first process ends, the kernel ends the services with it.
    apart = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    with (lab_dir(lab) / "services.log").open("ab") as log:
        process = subprocess.Popen(
            [*apart, sys.executable, "-m", __name__, lab, gateway, image],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/",
        )  # fmt: skip
    limit = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < limit:
        if _ready(lab):
            return
        time.sleep(0.1)
    tail = (lab_dir(lab) / "services.log").read_text(errors="replace")[-600:]
    raise OpsError(f"the lab's services did not start on {gateway}:\n  {tail}", next_step="./filae-ops lab down --all")


def proxy_filter() -> str:
    """Return tinyproxy's filter: the hosts of the Debian mirrors and no others."""
    hosts = re.findall(r"https?://([^/:\s]+)", debian_sources("trixie"))
    return "".join(f"^{re.escape(host)}$\n" for host in sorted(set(hosts)))


def _configure(root: Path, gateway: str) -> list[list[str]]:
    """Write the four configurations and return the four command lines, seen from inside the root."""
    subnet = gateway.removesuffix(".1") + ".0/24"
    conf = root / "lab"
    (conf / "filter").write_text(proxy_filter())
    upstream = apt_proxy()
    via = f"Upstream http {upstream.removeprefix('http://').rstrip('/')}\n" if upstream else ""
    (conf / "tinyproxy.conf").write_text(
        f"Port {PROXY_PORT}\nListen {gateway}\nAllow {subnet}\nTimeout 120\nMaxClients 60\n"
        f'Filter "/lab/filter"\nFilterDefaultDeny Yes\nFilterURLs Off\nLogLevel Error\n{via}'
    )
    (conf / "chrony.conf").write_text(
        f"local stratum 8\nallow {subnet}\nbindaddress {gateway}\n"
        "cmdport 0\nbindcmdaddress /\npidfile /lab/chronyd.pid\n"
    )
    dns = [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        f"--listen-address={gateway}",
        "--bind-interfaces",
    ]
    dns += [
        "--no-resolv",
        "--no-hosts",
        "--hostsdir=/hosts",
        "--local=/#/",
        "--user=root",
        "--pid-file",
        "--log-facility=-",
    ]
    mail = [
        "/usr/bin/python3",
        "-m",
        "aiosmtpd",
        "-n",
        "-l",
        f"{gateway}:25",
        "-c",
        "aiosmtpd.handlers.Mailbox",
        "/lab/mail",
    ]
    return [
        dns,
        ["tinyproxy", "-d", "-c", "/lab/tinyproxy.conf"],
        ["chronyd", "-x", "-d", "-f", "/lab/chrony.conf"],
        mail,
    ]


def serve(lab: str, gateway: str, image: Path) -> int:
    """Mount, start, wait: the first service that ends ends them all."""
    directory = lab_dir(lab)
    _held = hold(directory / "services.lock")
    root = _mount(directory, image)
    commands = _configure(root, gateway)
    children = [subprocess.Popen(["chroot", root, *argv], stdin=subprocess.DEVNULL) for argv in commands]
    while all(child.poll() is None for child in children) and not _answer(gateway):
        time.sleep(0.1)
    if all(child.poll() is None for child in children):
        (directory / "services.ready").touch()
    ended, status = os.wait()
    while ended not in [child.pid for child in children]:
        ended, status = os.wait()
    print(f"service {ended} ended with {status}", flush=True)
    return 1


def _answer(gateway: str) -> bool:
    """Tell whether mail relay, names and package proxy are listened to; time is asked for again by who needs it."""
    try:
        for port in (25, 53, PROXY_PORT):
            socket.create_connection((gateway, port), timeout=1).close()
    except OSError:
        return False
    return True


def _mount(directory: Path, image: Path) -> Path:
    """Mount a throw-away layer over the image; the mount namespace takes it along."""
    place = directory / "services"
    place.mkdir(exist_ok=True)
    run(["mount", "-t", "tmpfs", "tmpfs", place])
    root = place / "root"
    for name in ("upper", "work", "root"):
        (place / name).mkdir()
    layers = f"lowerdir={image},upperdir={place}/upper,workdir={place}/work"
    run(["mount", "-t", "overlay", "overlay", "-o", layers, root])
    for name in ("lab", "hosts"):
        (root / name).mkdir()
    run(["mount", "--bind", directory / "hosts", root / "hosts"])
    run(["mount", "-t", "proc", "proc", root / "proc"])
    run(["mount", "--bind", "/dev", root / "dev"])
    for name in ("etc/resolv.conf", "etc/hosts"):
        (root / name).write_bytes(Path("/", name).read_bytes())
    return root


def stop(lab: str) -> None:
    """End the lab's services."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"filae_ops.lab.hospital_services" in words and lab.encode() in words:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(entry.name), signal.SIGKILL)
    for _ in range(50):
        if not is_held(lab_dir(lab) / "services.lock"):
            return
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
