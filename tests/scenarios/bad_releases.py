"""Releases, and moments, in which an update must not go through, with what people are told of each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apps import APPS, SHARED
from minimal_site import FIRST_SCHEMA, held, release, set_agent
from sites import Site

APP = (APPS["minimal"] / "app.rb").read_text()
# Whatever an application says when it fails, only the class and the place of its exceptions are told.
PRIVATE = "Dupont"
WATCHER = """
import glob, os, pathlib, time
pathlib.Path("/run/watching").touch()
while not glob.glob("/opt/filae/releases/.tmp-*/big.bin"):
    time.sleep(0.0005)
state = os.statvfs("/opt")
with open("/opt/full", "wb") as full:
    os.posix_fallocate(full.fileno(), 0, state.f_bfree * state.f_frsize - 20_000_000)
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
def filling(site: Site) -> Iterator[None]:
    """The disk fills up while the release is being extracted."""
    site.run("systemd-run", "--collect", "--quiet", "--unit=filling", "--nice=-20", "python3", "-c", WATCHER)
    site.run("until test -e /run/watching; do sleep 0.1; done; rm /run/watching")
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
    schema: str = ""
    kind: str = "expand"
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
        ("the release does not do well", "half of the requests take ", "median_before"), "soak",
        files={"config.ru": SLOW, "config/puma.rb": (SHARED / "config/puma.rb").read_text().replace(
            "threads 5, 5", "threads 40, 40")}, timings={"soak": 20}),
    "its migration does not reach its schema": Bad(
        ("the schema is 2026", "needs 20990101000000"), "migrate",
        schema="20990101000000"),
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
        kind="window", migration="ALTER TABLE records ADD COLUMN room text",
        during=closed, again=True, migrated=True),
    "the disk fills up while it is staged": Bad(
        ("No space left on device", "who acts: dsi"), "stage",
        files={"big.bin": bytes(500_000_000)}, during=filling, fails=True),
    "its migration meets a lock that stays": Bad(
        ("met a lock, tries again in 0 s, 1 of 5 times", "met a lock 6 times", "(report) of postgres since",
         "exception PG::LockNotAvailable", "SELECT pg_terminate_backend(pid)", "filaectl maintenance on"), "migrate",
        migration="SET LOCAL lock_timeout = '200ms'; ALTER TABLE records ADD COLUMN ward text",
        during=held),
}  # fmt: skip


def built(name: str, made: Path) -> Path:
    """Build a case's release, with the migrations that the cases before it left in the database."""
    case, position = CASES[name], list(CASES).index(name)
    known = enumerate(list(CASES.values())[: position + 1], FIRST_SCHEMA + 1)
    migrations = {
        number: each.migration for number, each in known if each.migration and (each.migrated or each is case)
    }
    more = {"schema": case.schema, "kind": case.kind, "overrides": case.overrides, "files": case.files}
    return release(f"1.{position + 1}.0", made, migrations, **more)
