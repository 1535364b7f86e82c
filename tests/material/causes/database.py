"""What is wrong with PostgreSQL's settings and sockets."""

from __future__ import annotations

from typing import Any

from material.causes.cause import Cause, socket


def database(**settings: str) -> dict[str, Any]:
    usual = {"listen_addresses": "", "fsync": "on", "full_page_writes": "on"}
    return {"database": {"settings": usual | settings, "roles": {}, "hba": [], "pending_restart": []}}


WHERE = ("sourcefile", "remove it there")
DATABASE = [
    Cause("db-local", "listens", "provider", ("0.0.0.0:5432", *WHERE), socket(5432, "postgres") | database()),
    Cause("db-local", "will_listen", "provider", ("listen_addresses is *", *WHERE),
          {"sockets": []} | database(listen_addresses="*")),
    Cause("db-applied", "restart_due", "provider", ("shared_buffers", "systemctl restart postgresql@17-main"),
          {"database": {"pending_restart": ["shared_buffers"], "settings": {}}}),
    Cause("db-applied", "unsafe", "provider", ("fsync", *WHERE), database(fsync="off")),
]  # fmt: skip
