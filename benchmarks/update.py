"""Three ways to change the release under load, in one run on one machine: prints what people met, and for how long.

Run as root: `.venv/bin/python benchmarks/update.py`. 100 requests a second, each on a new connection over TLS, on the
minimal application made to boot in 3 s, as a larger one does. Design numbers with two colours: 0 failures, longest at
most 0.2 s. The plain restart is what a release tool without a second colour and without a held socket does: change
the link `current`, restart the unit.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["FILAE_LAB"] = f"bench-{os.getpid()}"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from apps import materialise
from load import Load, Minimal, Outcome, Place
from sites import Site, say

from filae_ops.bundle.build import build
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine_inventory import release_key

RATE = 100
BOOT = 3
SLOW = f'# frozen_string_literal: true\n\nrequire_relative "app"\nsleep {BOOT}\nrun App.new\n'
SHORT = (
    "sed 's/^MemAvailable.*/MemAvailable: 50000 kB/' /proc/meminfo > /run/mem && mount --bind /run/mem /proc/meminfo"
)
PLAIN = """[Service]
Type=notify
User=filae
WorkingDirectory=/opt/filae/current
RuntimeDirectory=plain
Environment=RACK_ENV=production LANG=C.UTF-8 DATABASE_URL=postgresql:///filae?host=/run/postgresql
ExecStart=/usr/bin/puma -C config/puma.rb -b unix:///run/plain/web.sock?umask=0111
"""
# The application leaves systemd's socket for one of its own; nginx follows.
OWN_SOCKET = f"""
printf '%s' '{PLAIN}' > /etc/systemd/system/plain.service
systemctl daemon-reload && systemctl start plain.service
printf 'upstream filae_live {{ server unix:/run/plain/web.sock; }}' > /etc/nginx/filae/upstream.conf
systemctl reload nginx && sleep 1 && systemctl stop 'filae-web@*.socket' 'filae-web@*.service'
"""
RESTART = "ln -sfn /opt/filae/releases/{version} /opt/filae/current && systemctl restart plain.service"


def must(site: Site, line: str) -> None:
    """Run a shell line on the machine."""
    done = site.run(line, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"{line}: {done.stderr}")


def deploy(site: Site, bundle: Path) -> None:
    """Put a release into service."""
    done = site.ops("deploy", str(bundle))
    if done.returncode != 0:
        raise SystemExit(done.stderr)


def measured(place: Place, operation: Callable[[], object]) -> tuple[Outcome, float]:
    """Do it under load; return what people met, and how long it took."""
    with Load(place, Minimal(), rate=RATE, seconds=300, number=30_000) as load:
        time.sleep(2)
        begin = time.monotonic()
        operation()
        seconds = time.monotonic() - begin
        time.sleep(2)
    if lost := load.missing():
        raise SystemExit(f"acknowledged and lost: {lost[:5]}")
    return load.outcome, seconds


@contextlib.contextmanager
def prepared() -> Iterator[tuple[Site, Place, list[Path]]]:
    """Bring up a machine on which a first release serves; also return the next ones."""
    try:
        site = Site(fleet.up("update", owner=os.getpid(), say=say))
        key, work = release_key(lifecycle.lab_id()), Path(tempfile.mkdtemp())
        bundles = []
        for version in ("1.0.0", "1.0.1", "1.0.2"):
            source = materialise("minimal", version, work / version, files={"config.ru": SLOW})
            bundles.append(build(source, work / "out", key).bundle)
        done = site.ops("provision", timeout=900)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        deploy(site, bundles[0])
        authority = site.run("cat /etc/filae/tls/served-ca.pem").stdout
        yield site, Place(site.machine.address, site.machine.public_name, authority), bundles[1:]
    finally:
        fleet.down(None)


def main() -> None:
    """Measure, then print one table."""
    with prepared() as (site, place, (second, third)):
        rows = [("nothing is changed", *measured(place, lambda: time.sleep(5)), "the limit of this host")]
        rows.append(("two colours", *measured(place, lambda: deploy(site, second)), "design: 0 failed, <= 0.2 s"))
        must(site, SHORT)
        one = measured(place, lambda: deploy(site, third))
        rows.append(("one colour, held socket", *one, f"design: 0 failed, about its boot ({BOOT} s)"))
        must(site, OWN_SOCKET)
        plain = measured(place, lambda: must(site, RESTART.format(version="1.0.1")))
        rows.append(("plain systemctl restart", *plain, "what is done without either"))
    print(f"{'':<24} {'requests':>8} {'failed':>7} {'longest':>9} {'took':>8}")
    for title, met, seconds, text in rows:
        print(f"{title:<24} {met.sent:>8} {len(met.failed):>7} {met.longest:>7.3f} s {seconds:>6.1f} s  {text}")


if __name__ == "__main__":
    main()
