"""A machine whose database is simulated, with the release that is to migrate it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from material.agent.fakes import CONTRACT, FakeRunner, machine_at, put_release
from material.postgresql_roles import known

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Result
from filae_ops.agent.transaction.plan import Plan

PLAN = Plan("t1", "deploy", "2.1.0", "green", "/b", "0" * 64, "provider", "claire", "2.0.0", "blue")
OLDEST, OLD, NEW = "20260101000000", "20260801000000", "20260901120000"
HOLDER = {"pid": 7211, "application": "ward\treport", "role": "filae", "since": "2026-11-21T23:45:17.5+00:00"}


class Server:
    """What PostgreSQL answers, by the words of the question."""

    def __init__(self, schema: str = OLD, **changes: Any) -> None:
        self.schema = schema
        self.open: list[dict[str, Any]] = []
        self.invalid: list[str] = []
        self.roles = known()
        self.connections = 3
        self.table = {"kind": "r", "owner": "filae_migrate", "type": "character varying"}
        self.asked: list[str] = []
        self.__dict__ |= changes

    def __call__(self, argv: Sequence[str], stdin: str | None) -> Result:
        sql = stdin or ""
        self.asked.append(sql)
        if "DROP INDEX" in sql:
            self.invalid = []
        answers: dict[str, Callable[[], str]] = {
            "FROM pg_database WHERE": lambda: "1",
            "pg_auth_members": lambda: json.dumps(self.roles),
            "'owner', o.rolname, 'type'": lambda: json.dumps(self.table if self.schema else None),
            "COPY public.schema_migrations": lambda: "".join(f"{line}\n" for line in [OLDEST, self.schema]),
            "has_any_column_privilege": lambda: json.dumps(["TABLE public.schema_migrations"] if self.schema else []),
            "SELECT count(*) FROM pg_stat_activity": lambda: str(self.connections),
            "pg_stat_activity": lambda: json.dumps(self.open),
            "pg_terminate_backend": lambda: "0",
            "indisvalid": lambda: json.dumps(self.invalid),
            "pg_database_size": lambda: "1000",
        }
        order = ("pg_terminate_backend", "pg_auth_members", "has_any_column_privilege", *answers)
        return Result(0, next((answers[words]() for words in order if words in sql), ""))


def machine_with(
    tmp_path: Path, server: Server, migrate: Callable[..., Result] | None = None, **config: Any
) -> tuple[Machine, FakeRunner]:
    """Return a machine whose database is `server`, with the new release's tree."""
    answers: dict[str, Any] = {"runuser": server, "nice": lambda *a: Result(0)}
    if migrate is not None:
        answers["systemd-run --unit=filae-run-migrate"] = migrate
    machine, runner = machine_at(tmp_path, answers, **config)
    put_release(machine, "2.1.0")
    return machine, runner


def of_kind(kind: str) -> Contract:
    return Contract({**CONTRACT, "migrate": {**CONTRACT["migrate"], "kind": kind}})
