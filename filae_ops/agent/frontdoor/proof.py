"""Prove a release by outcome: schema, file store, round trip, attachments, and the front door."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.database import schema_table
from filae_ops.agent.frontdoor import maintenance_page, site_include
from filae_ops.agent.runtime import health, unit_control, unit_text
from filae_ops.agent.system import durable
from filae_ops.agent.system.layout import AGENT, DOOR_GROUP
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.plain_file import open_leading_into
from filae_ops.agent.system.process import Failed, Result, evidence_of

# A path and a digest for each of some hundred thousand attachments.
LISTED = 128 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Verdict:
    """One thing that was looked at: pass, fail or not_run, and in words."""

    status: str
    message: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


def before_switch(machine: Machine, contract: Contract, colour: str, *, ahead: bool = False) -> dict[str, Verdict]:
    """Look at a colour that serves nobody yet; `ahead`: of a release that was live before."""
    found = {"schema": schema(machine, contract, ahead=ahead), "store": store(machine, contract, bound=True)}
    env = {"PROBE_SOCKET": str(machine.layout.socket(colour))}
    return found | {"probe": probe(machine, contract, env, bound=True)}


def observed(machine: Machine, contract: Contract) -> dict[str, Verdict]:
    """Look at the release that serves, through the front door."""
    config = machine.config
    env = {"PROBE_URL": f"https://{config.public_name}/", "SSL_CERT_FILE": config.ca_file}
    closed, live = maintenance_page.current(machine), machine.live()
    if closed is not None and live is not None:
        env = {"PROBE_SOCKET": str(machine.layout.socket(live.colour))}
    proofs: dict[str, Callable[[], Verdict]] = {
        "schema": lambda: schema(machine, contract, ahead=True),
        "store": lambda: store(machine, contract),
        "probe": lambda: probe(machine, contract, env, properties=[_own_hosts(machine)]),
        "files_check": lambda: files_check(machine, contract),
    }
    # Side by side: each is a process of the application that mostly waits for its own start.
    with ThreadPoolExecutor(len(proofs)) as pool:
        running = {name: pool.submit(look) for name, look in proofs.items()}
        problem = health.wait(contract, health.at_front_door(config), 5)
        door = Verdict("fail", problem) if problem else Verdict("pass", "the front door serves this release")
        first = page(machine, contract)
        found = {name: future.result() for name, future in running.items()}
    if closed is not None and found["probe"].status == "pass":
        found["probe"] = Verdict("pass", "the contract's round trip works on the release's own socket (maintenance)")
    return {"health": door, "version": version(contract, problem), "page": first, **found}


def front_door(machine: Machine, contract: Contract, seconds: float | None = None, times: int = 5) -> str:
    """Return why the release is not what is served over TLS under the public name, or nothing."""
    config = machine.config
    limit = config.timings["front_door"] if seconds is None else seconds
    fetch = health.at_front_door(config)
    if problem := health.wait(contract, fetch, limit, times=times):
        return problem
    first = page(machine, contract)
    return first.message if first.status == "fail" else ""


def page(machine: Machine, contract: Contract) -> Verdict:
    """Compare what people see first with the release's page; while maintenance is on, it must be its page."""
    closed = maintenance_page.current(machine)
    if closed is not None:
        if not (problem := maintenance_page.shown_problem(machine)):
            return Verdict(
                "not_run", f"people see the maintenance page, on purpose: {maintenance_page.describe(closed)}"
            )
        if maintenance_page.current(machine) is not None:
            return Verdict("fail", f"maintenance is on, and the front door does not show its page: {problem}")
    if site_include.client_page(contract) is None:
        return Verdict("not_run", "the contract states no client page of nginx's own")
    problem = _first_page(machine, contract)
    if problem and closed is None and maintenance_page.current(machine) is not None:
        return page(machine, contract)
    return Verdict("fail", problem) if problem else Verdict("pass", "the client's first page is this release's")


def _first_page(machine: Machine, contract: Contract) -> str:
    place = machine.layout.release(contract.version) / str(contract.get("client")["directory"])
    page = place / str(site_include.client_page(contract))
    try:
        answer = health.at_front_door(machine.config)("/")
        with open_leading_into(machine.layout.release(contract.version), page) as stream:
            same = answer.status == 200 and answer.body == stream.read(health.MAX_BODY)
    except (OSError, http.client.HTTPException) as exc:
        return f"the client's first page: {type(exc).__name__}: {exc}"
    return "" if same else f"the client's first page is not the release's (status {answer.status})"


def version(contract: Contract, problem: str) -> Verdict:
    """Say whether the version that answers was seen: the health page compares it, where it is stated."""
    if not contract.get("health").get("version"):
        return Verdict("not_run", "the contract states no health.version: the page does not say which release answers")
    if problem:
        return Verdict("not_run", "the health page does not answer as it should")
    return Verdict("pass", f"the front door says {contract.version}")


def schema(machine: Machine, contract: Contract, *, ahead: bool = False) -> Verdict:
    """Compare the schema's version with the contract's.

    `ahead`: a later one passes, since a deploy that was undone leaves its expanded schema.
    """
    wanted = contract.get("migrate").get("schema_version")
    if wanted is None:
        return Verdict("not_run", "the contract states no migrate.schema_version")
    try:
        found = schema_table.version(machine)
    except Failed as exc:
        return Verdict("fail", str(exc))
    if ahead and found is not None and found > int(wanted):
        return Verdict("pass", f"schema {found}, ahead of the release's {wanted}: a later deploy was undone")
    problem = schema_table.problem(contract, found)
    return Verdict("fail", problem) if problem else Verdict("pass", f"schema {wanted}")


def store(machine: Machine, contract: Contract, *, bound: bool = False) -> Verdict:
    """Write and read back in each lasting directory, as the application, in its sandbox."""
    if not contract.files:
        return Verdict("not_run", "the contract states no files")
    paths = [str(machine.layout.release(contract.version) / e["path"]) for e in contract.files]
    result = unit_control.once(machine, contract, "store", command=[AGENT, "_store", *paths], seconds=60, bound=bound)
    return _verdict(result, "written and read back as the application", "the application cannot write its files")


def write_and_read(paths: list[str]) -> None:
    """Do what `store` asks, as the user who runs this; the file loses its name at once."""
    for place in paths:
        path = Path(place) / f".filaectl-{secrets.token_hex(8)}"
        data = os.urandom(4096)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # The application that runs may have removed it first: the directory is its own.
            path.unlink(missing_ok=True)
            os.write(handle, data)
            os.fsync(handle)
            if os.pread(handle, 8192, 0) != data:
                raise OSError(f"{path} does not give back what was written")
        finally:
            os.close(handle)


def probe(
    machine: Machine,
    contract: Contract,
    env: Mapping[str, str],
    *,
    bound: bool = False,
    properties: Sequence[str] = (),
) -> Verdict:
    """Run the contract's own round trip; on a production site only where it declares that it writes."""
    if not contract.get("probe"):
        return Verdict("not_run", "the contract states no probe")
    if machine.config.production and contract.get("probe").get("writes") is not True:
        return Verdict("not_run", "production: a probe runs only where the contract declares `writes: true`")
    if "PROBE_SOCKET" in env:
        properties = [*properties, *_door(machine)]
    result = unit_control.once(machine, contract, "probe", env=env, seconds=120, bound=bound, properties=properties)
    return _verdict(result, "the contract's round trip works", "the contract's probe fails")


def files_check(machine: Machine, contract: Contract) -> Verdict:
    """Find every attachment that the database knows, and compare its sha256."""
    if not contract.get("files_check"):
        return Verdict("not_run", "the contract states no files_check")
    result = unit_control.once(machine, contract, "files_check", seconds=1800, bound=False, most=LISTED)
    if result.status != 0:
        return _verdict(result, "", "the contract's files_check fails")
    if result.cut:
        return Verdict("fail", f"files_check prints more than {LISTED // 1024**2} MiB: more than can be compared")
    release = machine.layout.release(contract.version)
    number = sum(1 for _ in _listed(result.out))
    odd = sum(1 for line in _listed(result.out) if len(line) != 2 or not _SHA256.fullmatch(line[1]))
    if odd:
        what = f"{odd} of the {number} lines that files_check prints are not `path sha256`"
        return Verdict("fail", f"{what}; logs belong on standard error")
    bad = sum(1 for path, digest in _listed(result.out) if not _same(machine.layout.files, release / path, digest))
    if bad:
        return Verdict("fail", f"{bad} of {number} attachments are missing or altered")
    return Verdict("pass", f"{number} attachments are there, unaltered")


def _listed(text: str) -> Iterator[list[str]]:
    """Give each line's path and digest, a line at a time: together they would take many times the text's memory."""
    for match in re.finditer(r".+", text):
        if line := match[0].rsplit(None, 1):
            yield line


def _door(machine: Machine) -> list[str]:
    """Return what leads a command to the colours' sockets, which no other process of the application reaches."""
    return [
        unit_text.setting("SupplementaryGroups", DOOR_GROUP),
        unit_text.setting("BindReadOnlyPaths", unit_text.path(machine.layout.run)),
    ]


def _own_hosts(machine: Machine) -> str:
    """Return how a command finds this machine under its public name, whatever the DNS says."""
    durable.directory(machine.layout.private, 0o700)
    own = machine.layout.private / "hosts"
    known = machine.layout.root / "etc/hosts"
    rest = known.read_text() if known.is_file() else ""
    durable.write(own, f"127.0.0.1 {machine.config.public_name}\n{rest}")
    return unit_text.setting("BindReadOnlyPaths", f"{unit_text.path(own)}:/etc/hosts")


def _same(root: Path, path: Path, digest: str) -> bool:
    try:
        with open_leading_into(root, path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == digest
    except (OSError, ValueError):  # ValueError: no name of a file, whatever the application prints
        return False


def _verdict(result: Result, good: str, bad: str) -> Verdict:
    if result.status == 0:
        return Verdict("pass", good)
    found = evidence_of(result.err, result.out)
    what = f" ({found['exception']})" if "exception" in found else ""
    return Verdict("fail", f"{bad}: status {result.status}{what}", {"status": result.status, **found})
