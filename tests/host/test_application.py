"""The release that serves, by outcome. What its contract does not state is not run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from filae_ops.verification.check import Target, broken, check, not_run

NEEDS: Mapping[str, Literal["nginx", "postgresql"]] = {
    "health": "nginx", "version": "nginx", "page": "nginx", "probe": "nginx",
    "schema": "postgresql", "files_check": "postgresql",
}  # fmt: skip


def proved(on: Target, name: str) -> None:
    """Judge one of the agent's own proofs."""
    if not on.deployed:
        return
    verdict = on.facts["observed"]["checks"].get(name)
    if verdict is None:
        not_run("agent_silent", name=name)
    # What fails because a service was stopped is told by that service alone.
    if verdict["status"] != "pass" and name in NEEDS:
        on.needs(NEEDS[name])
    if verdict["status"] == "not_run":
        not_run("agent_not_run", answer=verdict["message"])
    if verdict["status"] != "pass":
        broken("failed", answer=verdict["message"])


@check("app-health", "OPS-01")
def test_health(on: Target) -> None:
    """The front door serves the deployed release, and it says that it is well."""
    proved(on, "health")


@check("app-version", "OPS-01")
def test_version(on: Target) -> None:
    """The version that answers through the front door is the deployed one."""
    proved(on, "version")


@check("app-page", "OPS-01")
def test_page(on: Target) -> None:
    """People see the deployed client's first page, and not a maintenance page."""
    proved(on, "page")


@check("app-probe", "OPS-01")
def test_probe(on: Target) -> None:
    """The contract's round trip works through the front door."""
    proved(on, "probe")


@check("app-transaction", "OPS-01")
def test_no_transaction_is_stuck(on: Target) -> None:
    """No transaction was left in between."""
    status = on.facts["agent"]["status"]
    last = status.get("last_transaction")
    if not last or status.get("lock"):
        return
    if last["outcome"] == "open":
        broken("open", kind=last["kind"], version=last["version"])
    if last["outcome"] == "gave-up":
        broken("gave_up", kind=last["kind"], version=last["version"])


@check("app-schema", "OPS-05")
def test_schema(on: Target) -> None:
    """The database schema is the release's."""
    proved(on, "schema")


@check("app-store", "OPS-06")
def test_file_store(on: Target) -> None:
    """The application can write and read its files."""
    proved(on, "store")


@check("app-attachments", "OPS-06")
def test_attachments(on: Target) -> None:
    """Every attachment that the database knows is there, unaltered."""
    proved(on, "files_check")
