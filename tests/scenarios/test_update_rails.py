"""The reference application's update, interrupted: with workers, timers, a probe and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from interruptions import LATER, Subject
from load import Answer, Load, Request
from sites import Site, say

from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

# As before the first update, so that each one migrates.
NARROW = """runuser -u postgres -- psql -q filae -c "
    ALTER TABLE dossiers DROP COLUMN IF EXISTS urgence;
    DELETE FROM schema_migrations WHERE version = '20261102090000'" 2>/dev/null"""


@dataclass(frozen=True)
class Dossiers:
    """The reference application's dossiers, of somebody who is logged in."""

    cookie: str

    def post(self, text: str) -> Request:
        fields = {"nom": text, "prenom": "Charge", "motif": "Autre", "requerant": "Essai", "examen": "2026-01-01"}
        return Request("/api/dossiers", fields, self._headers)

    def posted(self, answer: Answer) -> str:
        return str(json.loads(answer.body)["dossier"]["id"])

    def read(self, name: str) -> Request:
        return Request(f"/api/dossiers/{name}", headers=self._headers)

    def text(self, answer: Answer) -> str:
        return str(json.loads(answer.body)["dossier"]["nom"])

    def version(self, answer: Answer) -> str:
        return ""

    def all(self) -> Request | None:
        return None

    def texts(self, answer: Answer) -> Mapping[str, str]:
        return {}

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"Cookie": self.cookie, "X-Requested-With": "filae"}


@pytest.fixture(scope="module")
def subject(template: Machine, bundles: dict[str, Path]) -> Iterator[Subject]:
    """A machine on which 2.0.0 runs and somebody is logged in."""
    site = Site(fleet.up("interrupted", source=template, say=say))
    versions = {version: bundles[version] for version in ("2.0.0", "2.1.0")}
    subject = Subject(site, Dossiers(""), versions, rate=10, before_deploy=NARROW)
    subject.records = Dossiers(cookie(subject))
    yield subject
    lifecycle.remove(site.machine)


def cookie(subject: Subject) -> str:
    """Log in as the person whom the setup made; the session lasts over updates."""
    account = {"login": "admin", "password": subject.run("cat /etc/filae/secrets/admin_password").strip()}
    request = Request("/api/session", account, {"X-Requested-With": "filae"})
    answer = asyncio.run(Load(subject.place, subject.records).ask(request))
    assert answer.status == 200, answer
    return answer.headers["set-cookie"].partition(";")[0]


@pytest.mark.parametrize(("step", "later"), [("migrate", LATER), ("start", 1.0), ("switch", LATER)])
def test_a_kill_loses_nothing(subject: Subject, step: str, later: float) -> None:
    subject.kill("deploy", "two", step, later)


POWER = [("dump", "cut"), ("migrate", "reboot"), ("probe", "reboot"), ("switch", "cut"), ("retire", "reboot"),
         ("workers", "cut")]  # fmt: skip


@pytest.mark.parametrize(("step", "how"), POWER)
def test_power_that_goes_loses_nothing_that_was_acknowledged(subject: Subject, step: str, how: str) -> None:
    subject.cut("deploy", step, how)
