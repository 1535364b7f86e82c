"""What is wrong with the application, as its own proofs tell it."""

from __future__ import annotations

from typing import Any

from material.causes.cause import Cause, agent


def proof(name: str, message: str) -> dict[str, Any]:
    return agent() | {"observed": {"checks": {name: {"status": "fail", "message": message}}}}


APPLICATION = [
    Cause("app-health", "failed", "provider", ("status 503", "filaectl status"), proof("health", "status 503")),
    Cause("app-version", "failed", "provider", ("1.0", "filaectl status"), proof("version", "1.0 answers")),
    Cause("app-page", "failed", "provider", ("is not", "maintenance off"), proof("page", "it is not the page")),
    Cause("app-probe", "failed", "provider", ("status 1", "filaectl observe"), proof("probe", "status 1")),
    Cause("app-schema", "failed", "provider", ("schema 3", "filae-ops deploy"), proof("schema", "schema 3")),
    Cause("app-store", "failed", "provider", ("EACCES", "/srv/filae/files"), proof("store", "EACCES")),
    Cause("app-attachments", "failed", "provider", ("1 of 2", "last backup"), proof("files_check", "1 of 2")),
    Cause("app-transaction", "open", "provider", ("deploy 2.0.0", "filaectl recover --retry"),
          agent(last_transaction={"outcome": "open", "kind": "deploy", "version": "2.0.0"})),
    Cause("app-transaction", "gave_up", "provider", ("deploy 2.0.0", "filaectl recover --retry"),
          agent(last_transaction={"outcome": "gave-up", "kind": "deploy", "version": "2.0.0"})),
]  # fmt: skip
