"""Bad releases and bad moments: said and undone, the one before serves, and the machine takes the next good one."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apps import APPS, materialise
from load import Load, Minimal, Place
from sites import CLI, Site, say

from filae_ops.agent import steps
from filae_ops.bundle import tree
from filae_ops.bundle.build import build
from filae_ops.errors import OpsError
from filae_ops.lab import fleet
from filae_ops.lab import machine as machines
from filae_ops.lab.inventory import release_key
from filae_ops.lab.machine import Machine

FIRST_SCHEMA = 20260101000000
APP = (APPS["minimal"] / "app.rb").read_text()
# Whatever an application says when it fails, only the class and the place of its exceptions are told.
PRIVATE = "Dupont"
QUICK = {"soak": 0.5, "lock_wait": 0.1, "start": 90, "old_transaction": 60}
AGENT = "/etc/filae/agent.json"
EDIT = f"""
import json, sys
known, given = json.load(open("{AGENT}")), json.loads(sys.argv[1])
known["timings"] = known.get("timings", {{}}) | given.pop("timings", {{}})
json.dump(known | given, open("{AGENT}", "w"))
"""
WATCHER = """
import glob, os, time
while not glob.glob("/opt/filae/releases/.tmp-*/big.bin"):
    time.sleep(0.0005)
state = os.statvfs("/opt")
with open("/opt/full", "wb") as full:
    os.posix_fallocate(full.fileno(), 0, state.f_bfree * state.f_frsize - 20_000_000)
"""


LOOK = """
filaectl status --json; echo; filaectl journal --json -n 300; echo ---
cd /var/lib/filae-ops; ls -A /opt/filae/releases /var/cache/filae transactions incoming; readlink /opt/filae/current
grep -r . /etc/filae/colours /etc/nginx/filae
cd /etc/systemd/system; ls -d filae.target.wants/* filae-*.d
systemctl list-units --plain --no-legend --full 'filae-w*' 'filae-run*' 'filae-timer*'; systemctl --failed --no-legend
"""


def rack(code: str) -> str:
    return f'# frozen_string_literal: true\n\nrequire_relative "app"\n\n{code}\n'


HALF_WELL = rack(
    """
app = App.new
seen = 0
run(lambda do |env|
  next app.call(env) if env["PATH_INFO"] == "/health"

  (seen += 1) % 10 < 3 ? [500, { "content-type" => "text/plain" }, ["PRIVATE"]] : app.call(env)
end)""".replace("PRIVATE", PRIVATE)
)
SLOW = rack("""
app = App.new
run(lambda do |env|
  sleep 1.5 unless env["PATH_INFO"] == "/health"
  app.call(env)
end)""")


@contextlib.contextmanager
def closed(site: Site) -> Iterator[None]:
    """The maintenance window is the day after tomorrow."""
    day = (datetime.now(UTC) + timedelta(days=2)).strftime("%a").lower()
    set_agent(site, timezone="UTC", maintenance_window={"days": [day], "start": "12:00", "minutes": 60})
    yield
    every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    set_agent(site, maintenance_window={"days": every, "start": "00:00", "minutes": 1440})


@contextlib.contextmanager
def held(site: Site, *, statement: str = "LOCK TABLE records IN ACCESS SHARE MODE") -> Iterator[None]:
    """Somebody's transaction is open; with a lock that lets people work, and no migration."""
    sql = f"BEGIN; {statement}; SELECT pg_sleep(600)"
    report = ["systemd-run", "--collect", "--quiet", "--setenv=PGAPPNAME=report", "--uid=postgres"]
    site.run(*report, "psql", "filae", "-c", sql)
    mine = "FROM pg_stat_activity WHERE application_name = 'report' AND wait_event = 'PgSleep'"
    until(lambda: ask(site, f"SELECT count(*) {mine} AND xact_start < clock_timestamp() - interval '1 s'") == "1")
    try:
        yield
    finally:
        ask(site, f"SELECT pg_terminate_backend(pid) {mine}")


@contextlib.contextmanager
def filling(site: Site) -> Iterator[None]:
    """The disk fills up while the release is being extracted."""
    site.run("systemd-run", "--collect", "--quiet", "--unit=filling", "python3", "-c", WATCHER)
    yield
    site.run("systemctl stop filling; rm -f /opt/full")


@dataclass(frozen=True)
class Bad:
    """A release, or a moment, in which an update must not go through.

    `step` is the one that fails, nothing for what is refused before any. `fails`: people meet failures, since the
    release served them for a while. `again`: what is bad is the moment, and the same bundle goes through later.
    """

    said: tuple[str, ...]
    step: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)
    migration: str = ""
    migrated: bool = False
    timings: Mapping[str, float] = field(default_factory=dict)
    during: Callable[[Site], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
    fails: bool = False
    again: bool = False
    refused_at_build: str = ""


CASES = {
    "it does not boot, its schema is migrated": Bad(
        (".service does not start", "exception KeyError", "config.ru:3"), "start",
        files={"config.ru": f'# frozen_string_literal: true\n\nraise KeyError, "{PRIVATE}"\n'},
        migration="ALTER TABLE records ADD COLUMN note text", migrated=True),
    "it hangs in its boot": Bad(
        (".service does not start", "result timeout"), "start",
        files={"config.ru": "sleep\n"}, timings={"start": 3}),
    "it is well, then fails three requests of ten": Bad(
        ("the release does not do well", "requests ended with a server error", "500"), "soak",
        files={"config.ru": HALF_WELL}, timings={"soak": 20}, fails=True),
    "it is well, then slow": Bad(
        ("the release does not do well", "half of the requests take 1.5", "median_before"), "soak",
        files={"config.ru": SLOW, "config/puma.rb": (APPS["minimal"] / "config/puma.rb").read_text().replace(
            "threads 5, 5", "threads 40, 40")}, timings={"soak": 20}),
    "its migration does not reach its schema": Bad(
        ("the schema is 2026", "needs 20990101000000"), "migrate",
        overrides={"migrate": {"schema_version": "20990101000000"}}),
    "its migration fails in the middle": Bad(
        ("migrate command ended with status 1: PG::UndefinedTable", "frame", "bin/migrate:"), "migrate",
        migration=f"CREATE TABLE half (id int); INSERT INTO {PRIVATE} VALUES (1)"),
    "its client is missing": Bad(
        ("the front door does not serve", "the client's first page"), "switch",
        overrides={"health": {"path": "/api/health"}, "client": {"otherwise": "index.html"}},
        files={"public/index.html": None, "app.rb": APP.replace('"/health"', '"/api/health"')},
        fails=True, refused_at_build="public has no index.html"),
    "a transaction is open for too long": Bad(
        ("a transaction older than 1 s is open", "(report) of postgres since", "pg_terminate_backend"),
        migration="ALTER TABLE records ADD COLUMN post text", timings={"old_transaction": 1},
        during=lambda site: held(site, statement="SELECT 1"), again=True, migrated=True),
    "its migration wants the window, which is closed": Bad(
        ("migrates in the maintenance window only", "closed: it opens on", "at 12:00 (UTC)"),
        overrides={"migrate": {"kind": "window"}}, migration="ALTER TABLE records ADD COLUMN room text",
        during=closed, again=True, migrated=True),
    "the disk fills up while it is staged": Bad(
        ("No space left on device", "who acts: dsi"), "stage",
        files={"big.bin": bytes(120_000_000)}, during=filling, fails=True),
    "its migration meets a lock that stays": Bad(
        ("met a lock, tries again in 0 s, 1 of 5 times", "met a lock 6 times", "(report) of postgres since",
         "exception PG::LockNotAvailable", "deploy the same bundle again"), "migrate",
        migration="SET LOCAL lock_timeout = '200ms'; ALTER TABLE records ADD COLUMN ward text",
        during=held, migrated=True),
}  # fmt: skip
LOCKED = list(CASES)[-1]


@pytest.fixture(scope="module")
def site(minimal_template: Machine) -> Iterator[Site]:
    """A copy of the machine with the minimal application; this file's tests leave it with another release each."""
    made = Site(fleet.up("releases", source=minimal_template, say=say))
    set_agent(made, timings=QUICK)
    yield made
    machines.remove(made.machine)


@pytest.fixture(scope="module")
def place(site: Site) -> Place:
    """Where people's requests go."""
    name = json.loads(site.run(f"cat {AGENT}").stdout)["public_name"]
    return Place(site.machine.address, name, site.run("cat /etc/filae/tls/served-ca.pem").stdout)


def set_agent(site: Site, **changes: Any) -> None:
    done = site.run("python3", "-c", EDIT, json.dumps(changes))
    assert done.returncode == 0, done.stderr


def ask(site: Site, sql: str) -> str:
    return site.run("runuser", "-u", "postgres", "--", "psql", "-XAtq", "-d", "filae", "-c", sql).stdout.strip()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.05)


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


def release(version: str, made: Path, case: Bad | None = None, *, position: int = 0) -> Path:
    """Build a release of the minimal application, with the migrations that those before it left in the database."""
    case = case or Bad(())
    kept = list(enumerate(CASES.values(), FIRST_SCHEMA + 1))[:position]
    migrations = {number: each.migration for number, each in kept if each.migrated}
    if case.migration:
        migrations[FIRST_SCHEMA + 1 + position] = case.migration
    schema = {"migrate": {"schema_version": str(max([FIRST_SCHEMA, *migrations]))}}
    source = materialise(
        "minimal", version, made / f"source-{version}",
        overrides={**schema, **case.overrides, "migrate": {**schema["migrate"], **case.overrides.get("migrate", {})}},
        files={**{f"db/{number}_change.sql": sql for number, sql in migrations.items()}, **case.files},
    )  # fmt: skip
    return build(source, made / "out", release_key(machines.lab_id())).bundle


@pytest.mark.parametrize("name", CASES)
def test_a_bad_release_is_undone_or_refused(
    name: str, site: Site, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, position = CASES[name], list(CASES).index(name)
    if case.refused_at_build:
        with pytest.raises(OpsError, match=case.refused_at_build):
            release(f"1.{position}.1", tmp_path / "refused", case, position=position)
        monkeypatch.setattr(tree, "_check_promises", lambda *_: None)  # somebody else's tool built and signed it
    bad = release(f"1.{position + 1}.0", tmp_path, case, position=position)
    before = look(site)
    if case.timings:
        set_agent(site, timings=case.timings)
    with case.during(site), Load(place, Minimal(), rate=20) as load:
        done = site.ops("deploy", str(bad))
    if case.timings:
        set_agent(site, timings=QUICK)

    assert done.returncode == 1, done.stderr
    for words in case.said:
        assert words in done.stderr
    after = look(site)
    if case.step:
        assert_undone(after.events, case.step, done.stderr)
    else:
        assert after.events == before.events, "refused before anything was begun"
    assert PRIVATE not in done.stdout + done.stderr + json.dumps(after.events)
    assert (after.version, after.healthy) == (before.version, True)
    assert after.lying - before.lying == set()
    idle = {"blue": "green", "green": "blue"}[before.colour]  # may be bound to a former release, or to none
    assert [line for line in before.lying - after.lying if idle not in line] == []
    assert case.fails or (load.outcome.failed, load.outcome.last) == ([], before.version), load.outcome
    assert load.missing() == []
    if case.again:
        with Load(place, Minimal(), rate=20, kept=load.kept) as load:
            done = site.ops("deploy", str(bad))
        assert done.returncode == 0, done.stderr
        assert load.outcome.failed == [], load.outcome
        assert load.missing() == []


def test_a_migration_goes_on_when_the_lock_is_released_in_time(site: Site, place: Place, tmp_path: Path) -> None:
    """The same bundle as in the case before, as was advised there."""
    bundle = release(f"1.{len(CASES)}.0", tmp_path, CASES[LOCKED], position=len(CASES) - 1)
    with Load(place, Minimal(), rate=20) as load, held(site), Deploy(site, bundle) as run:
        run.wait_for("met a lock, tries again in 0 s, 1 of 5 times; open transactions: pid ")
        ask(site, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'report'")
        done = run.end()
    assert done.returncode == 0, done.stderr
    assert re.search(rf"schema_version: {FIRST_SCHEMA + len(CASES)}, kind: expand, retries: [1-5]\b", done.stderr)
    assert load.outcome.failed == [], load.outcome
    assert load.missing() == []


def test_of_two_deploys_at_once_one_is_refused_and_so_is_a_provisioning_in_the_middle(
    site: Site, place: Place, tmp_path: Path
) -> None:
    one, other = (release(f"1.81.{number}", tmp_path, position=len(CASES)) for number in (0, 1))
    set_agent(site, timings={"soak": 10})
    with Load(place, Minimal(), rate=20) as load, Deploy(site, one) as first, Deploy(site, other) as second:
        until(lambda: "transaction" in first.told() + second.told())
        provisioned = site.ops("provision")
        ends = {"1.81.0": first.end(), "1.81.1": second.end()}
    set_agent(site, timings=QUICK)
    winner, loser = sorted(ends, key=lambda version: ends[version].returncode)
    assert ends[winner].returncode == 0, ends[winner].stderr
    for refused in (ends[loser], provisioned):
        assert refused.returncode == 1
        assert re.search(f"being changed by: filaectl deploy {winner} by lab|has not ended", refused.stderr)
    assert (look(site).version, load.outcome.last) == (winner, winner)
    assert load.outcome.failed == [], load.outcome
    assert site.run("ls /var/lib/filae-ops/incoming").stdout == "", "nor does the loser's bundle stay"


# The controller is killed when it was told this.
TOLD = ("transaction ", "migrate    done", "switch     done")


def test_what_the_controller_is_told_are_steps() -> None:
    assert {words.split()[0] for words in TOLD[1:]} <= set(steps.names("deploy", "two"))


@pytest.mark.parametrize("told", TOLD)
def test_a_deploy_goes_on_without_its_controller(told: str, site: Site, place: Place, tmp_path: Path) -> None:
    version = f"1.82.{TOLD.index(told)}"
    bundle = release(version, tmp_path, position=len(CASES))
    set_agent(site, timings={"soak": 2})
    with Load(place, Minimal(), rate=20) as load, Deploy(site, bundle) as run:
        run.wait_for(told)
        assert run.end(signal.SIGKILL).returncode == -signal.SIGKILL
        until(lambda: look(site).events[-1]["event"] in ("committed", "rolled-back", "gave-up"))
    set_agent(site, timings=QUICK)
    after = look(site)
    events = [event["event"] for event in after.events]
    assert events[-1] == "committed"
    assert not {"recover", "failed"} & set(events)
    assert (after.version, load.outcome.last) == (version, version)
    assert load.outcome.failed == [], load.outcome


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

    def wait_for(self, words: str) -> None:
        until(lambda: words in self.told() or self.process.poll() is not None)
        assert words in self.told(), self.told()

    def end(self, number: int | None = None) -> subprocess.CompletedProcess[str]:
        """Send it a signal, if any, and return how it ended."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(120)
        return subprocess.CompletedProcess(self.process.args, status, "", self.told())


def assert_undone(events: list[dict[str, Any]], step: str, said: str) -> None:
    """Check what the journal and people were told of a deploy that failed at a step."""
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["step"] == step
    names = steps.names("deploy", "two")
    undone = names[names.index(step) :: -1]
    assert [event["step"] for event in events if event["event"] == "undone"] == undone
    assert events[-1]["event"] == "rolled-back"
    assert failed["reason"] in said
    for key, value in failed.get("evidence", {}).items():
        assert f"{key} {value}" in said
    assert re.findall(r"^\[.*\]   (\w+) +undone$", said, re.M) == undone
    assert f"step {step} failed: " in said
    assert "undone: what served before serves" in said
