"""A machine with the minimal application, its releases, and updates of it that a test steers."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps import materialise
from load import Place
from sites import CLI, LONG, Site
from waiting import until

from filae_ops.bundle.build import build
from filae_ops.lab import lifecycle
from filae_ops.lab.bridge import bridge_name
from filae_ops.lab.machine_inventory import release_key

FIRST_SCHEMA = 20260101000000
QUICK = {"soak": 0.5, "lock_wait": 0.1, "start": 90, "old_transaction": 60}
AGENT = "/etc/filae/agent.json"
EDIT = f"""
import json, sys
known, given = json.load(open("{AGENT}")), json.loads(sys.argv[1])
known["timings"] = known.get("timings", {{}}) | given.pop("timings", {{}})
json.dump(known | given, open("{AGENT}", "w"))
"""
LOOK = """
filaectl status --json; echo; filaectl journal --json -n 300; echo ---
cd /var/lib/filae-ops; ls -A /opt/filae/releases /var/cache/filae transactions incoming; readlink /opt/filae/current
grep -r . /etc/filae/colours /etc/nginx/filae
cd /etc/systemd/system; ls -d filae.target.wants/* filae-*.d
systemctl list-units --plain --no-legend --full 'filae-w*' 'filae-run*' 'filae-timer*'; systemctl --failed --no-legend
"""


def set_agent(site: Site, **changes: Any) -> None:
    done = site.run("python3", "-c", EDIT, json.dumps(changes))
    assert done.returncode == 0, done.stderr


def ask(site: Site, sql: str) -> str:
    return site.run("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", "filae", "-c", sql).stdout.strip()


def place_of(site: Site) -> Place:
    """Return where people's requests go."""
    name = json.loads(site.run(f"cat {AGENT}").stdout)["public_name"]
    return Place(site.machine.address, name, site.run("cat /etc/filae/tls/served-ca.pem").stdout)


def people(site: Site) -> tuple[str, ...]:
    """Return addresses from which people ask, given to the lab's host; no machine of the lab has them."""
    network = site.machine.address.rpartition(".")[0]
    addresses = tuple(f"{network}.{number}" for number in range(250, 255))
    for address in addresses:
        command = ["ip", "address", "replace", f"{address}/32", "dev", bridge_name(lifecycle.lab_id())]
        subprocess.run(command, check=True, capture_output=True)
    return addresses


@contextlib.contextmanager
def held(site: Site, *, statement: str = "LOCK TABLE records IN ACCESS SHARE MODE") -> Iterator[None]:
    """Somebody's transaction is open; with a lock that lets people work, and no migration."""
    sql = f"BEGIN; {statement}; SELECT pg_sleep(600)"
    report = ["systemd-run", "--collect", "--quiet", "--setenv=PGAPPNAME=report", "--uid=postgres"]
    begun = site.run(*report, "psql", "filae", "-c", sql)
    assert begun.returncode == 0, begun.stderr
    mine = "FROM pg_stat_activity WHERE application_name = 'report' AND wait_event = 'PgSleep'"
    until(lambda: ask(site, f"SELECT count(*) {mine} AND xact_start < clock_timestamp() - interval '1 s'") == "1")
    try:
        yield
    finally:
        ask(site, f"SELECT pg_terminate_backend(pid) {mine}")


@dataclass(frozen=True)
class Seen:
    """What is on the machine: what serves, the last transaction's events, and all that an update may leave."""

    version: str
    colour: str
    healthy: bool
    events: list[dict[str, Any]]
    lying: frozenset[str]


def look(site: Site) -> Seen:
    told, lying = site.run(LOOK).stdout.split("---\n", 1)
    status, *events = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    last = [event["tx"] for event in events if event["event"] == "begin"][-1]
    mine = [event for event in events if event.get("tx") == last]
    return Seen(status["version"], status["colour"], status["healthy"], mine, frozenset(lying.splitlines()))


def release(
    version: str,
    made: Path,
    migrations: Mapping[int, str],
    *,
    schema: str = "",
    kind: str = "expand",
    overrides: Mapping[str, Any] | None = None,
    files: Mapping[str, str | bytes | None] | None = None,
) -> Path:
    """Build a release of the minimal application, with these migrations by the schema that they lead to."""
    reached = schema or str(max([FIRST_SCHEMA, *migrations]))
    source = materialise(
        "minimal", version, made / f"source-{version}",
        overrides={**(overrides or {}), "migrate": {"schema_version": reached, "kind": kind}},
        files={**{f"db/{number}_change.sql": sql for number, sql in migrations.items()}, **(files or {})},
    )  # fmt: skip
    return build(source, made / "out", release_key(lifecycle.lab_id())).bundle


class Deploy:
    """A deploy from a controller that runs while the test goes on."""

    def __init__(self, site: Site, bundle: Path) -> None:
        argv = [*CLI, "-i", str(site.inventory), "deploy", str(bundle)]
        self.log = bundle.with_name(f"{bundle.name}.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self) -> Deploy:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def told(self) -> str:
        return self.log.read_text()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that it does; it does not end before."""
        until(true, ended=lambda: self.process.poll() is not None, told=self.told)

    def wait_for(self, words: str) -> None:
        self.until(lambda: words in self.told())

    def end(self, number: int | None = None) -> subprocess.CompletedProcess[str]:
        """Send it a signal, if any, and return how it ended."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(LONG)
        return subprocess.CompletedProcess(self.process.args, status, "", self.told())
