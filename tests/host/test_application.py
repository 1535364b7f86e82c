"""The release that serves, by outcome. What its contract does not state is not run."""

from __future__ import annotations

from filae_ops.verification.check import Target, broken, check, not_run


def proved(on: Target, name: str, step: str) -> None:
    """Judge one of the agent's own proofs."""
    if not on.deployed:
        return
    verdict = on.facts["observed"]["checks"].get(name)
    if verdict is None or verdict["status"] == "not_run":
        not_run(verdict["message"] if verdict else "the agent does not look at it")
    if verdict["status"] != "pass":
        broken(verdict["message"], step)


@check("app-health", "OPS-01")
def test_health(on: Target) -> None:
    """The front door serves the deployed release, and it says that it is well."""
    proved(on, "health", "provider: on the machine: filaectl status, then filaectl observe")


@check("app-version", "OPS-01")
def test_version(on: Target) -> None:
    """The version that answers through the front door is the deployed one."""
    proved(on, "version", "provider: on the machine: filaectl status")


@check("app-page", "OPS-01")
def test_page(on: Target) -> None:
    """People see the deployed client's first page, and not a maintenance page."""
    proved(on, "page", "provider: on the machine: filaectl status; filaectl maintenance off if it was forgotten")


@check("app-probe", "OPS-01")
def test_probe(on: Target) -> None:
    """The contract's round trip works through the front door."""
    proved(on, "probe", "provider: on the machine: filaectl observe")


@check("app-transaction", "OPS-01")
def test_no_transaction_is_stuck(on: Target) -> None:
    """No transaction was left in between."""
    status = on.facts["agent"]["status"]
    last = status.get("last_transaction")
    if last and last["outcome"] in ("open", "gave-up") and not status.get("lock"):
        broken(
            f"{last['kind']} {last['version']} is {last['outcome']}",
            "provider: on the machine: filaectl recover --retry",
        )


@check("app-schema", "OPS-05")
def test_schema(on: Target) -> None:
    """The database schema is the release's."""
    proved(on, "schema", "provider: deploy the release again; its migration did not end")


@check("app-store", "OPS-06")
def test_file_store(on: Target) -> None:
    """The application can write and read its files."""
    proved(on, "store", "provider: owner and mode of /srv/filae/files; then room on the disk")


@check("app-attachments", "OPS-06")
def test_attachments(on: Target) -> None:
    """Every attachment that the database knows is there, unaltered."""
    step = "provider: on the machine: filaectl observe; restore what is missing from the last backup, with the DSI"
    proved(on, "files_check", step)
