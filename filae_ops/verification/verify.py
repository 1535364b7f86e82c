"""Verify machines: ask each once, run the host checks on the answers, and turn their results into verdicts."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from filae_ops import __version__
from filae_ops.errors import OpsError, Owner
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.reading.load import load
from filae_ops.language import Lang
from filae_ops.register.lookup import requirement
from filae_ops.remote.ssh import Login, ssh_config
from filae_ops.report.document.check_words import BROKE, WordsError
from filae_ops.report.document.rendering import words
from filae_ops.verification import gather
from filae_ops.verification.declared_and_measured import Merged, merge
from filae_ops.verification.placed_by_roles import Placements, placed_by_roles
from filae_ops.verification.pytest_run import FAULT, HostChecks
from filae_ops.verification.results import Status, Verdict
from filae_ops.vocabulary import OWNERS


@dataclass(frozen=True)
class Report:
    """Every verdict of a run, and how long its two halves took."""

    verdicts: tuple[Verdict, ...]
    gathering_seconds: float = 0.0
    checking_seconds: float = 0.0
    hosts: tuple[str, ...] = field(default=())
    merged: tuple[Merged, ...] = ()
    """Each requirement that has checks, beside what is declared of it."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """The site, the day and the inventory's fingerprint."""

    def count(self, status: Status, owner: Owner | None = None) -> int:
        """Return how many verdicts have a status, of one owner or of all."""
        return sum(each.status == status for each in self.verdicts if owner in (None, each.owner))

    @property
    def failed(self) -> int:
        """Return how many checks failed."""
        return self.count("fail")

    def of(self, owner: Owner) -> Report:
        """Return the requirements that one owner answers for, or has to act on, each with all its checks."""
        merged = tuple(each for each in self.merged if owner in each.owners)
        names = {each.requirement.id for each in merged}
        verdicts = tuple(each for each in self.verdicts if each.requirement in names)
        return replace(self, verdicts=verdicts, merged=merged, about={**self.about, "only": owner})

    @property
    def disagreements(self) -> tuple[Merged, ...]:
        """Return the requirements of which the machine contradicts the inventory."""
        return tuple(each for each in self.merged if each.disagrees)

    @property
    def timing(self) -> str:
        """Return how many checks, and where the time went."""
        asked, judged = self.gathering_seconds, self.checking_seconds
        return f"{len(self.verdicts)} checks ({asked:.1f} s to ask, {judged:.1f} s to judge)"

    @property
    def rate(self) -> float:
        """Return checks per second, once the machines have answered."""
        return len(self.verdicts) / self.checking_seconds if self.checking_seconds else 0.0

    @property
    def owners(self) -> list[Owner]:
        """Return the owners that have verdicts, in the register's order."""
        return [owner for owner in OWNERS if any(each.owner == owner for each in self.verdicts)]

    def document(self) -> dict[str, Any]:
        """Return the contract of `verify --json`."""
        statuses: tuple[Status, ...] = ("pass", "fail", "not_run")
        return {
            "summary": {status: self.count(status) for status in statuses},
            "by_owner": {owner: {status: self.count(status, owner) for status in statuses} for owner in self.owners},
            "checks": [each.document() for each in self.verdicts],
            "requirements": [each.document() for each in self.merged],
            **self.about,
        }

    def by_owner_lines(self, lang: Lang = "en") -> list[str]:
        """Return one line per owner."""
        statuses: tuple[Status, ...] = ("pass", "fail", "not_run")
        labels = words("verification", lang)["terminal"]
        return [
            labels["counts"].format(labels["owners"][owner], *(self.count(status, owner) for status in statuses))
            for owner in self.owners
        ]


def verify_inventory(
    path: Path,
    login: Login | None = None,
    *,
    seen_from: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Verify every machine of an inventory, as seen from inside and from elsewhere."""
    from filae_ops.report.review.one_site import judged

    inventory, login = load(path), login or Login()
    start = time.monotonic()
    with (
        ssh_config(inventory, login) as config,
        tempfile.TemporaryDirectory(prefix="filae-verify-") as place,
        HostChecks(Path(place)) as checks,
        ThreadPoolExecutor(max_workers=8) as pool,
    ):
        say(f"asking {', '.join(inventory.hosts)}")
        declared = pool.submit(judged, inventory, dt.date.today())
        placed = pool.submit(placed_by_roles, path)
        looks = [pool.submit(_look, inventory, host, config, seen_from, login) for host in inventory.hosts.values()]
        hosts = {name: look.result() for name, look in zip(inventory.hosts, looks, strict=True)}
        context = _context(inventory, hosts, placed.result(), config)
        asked = time.monotonic()
        say("judging")
        found = verdicts(checks.judge(context))
        seconds = (asked - start, time.monotonic() - asked)
        tree, judgement, _ = declared.result()
    return Report(found, *seconds, tuple(inventory.hosts), merge(judgement, found, tree), _about(inventory))


def _context(inventory: Inventory, hosts: Mapping[str, Any], placed: Placements, config: Path) -> dict[str, Any]:
    """Return what the host checks read."""
    said = inventory.model_dump(mode="json", by_alias=True)
    asked = {
        name: {**each, "placed": {path: asdict(placement) for path, placement in placed[name].items()}}
        for name, each in hosts.items()
    }
    return {"inventory": said, "hosts": asked, "ssh_config": str(config)}


def _about(inventory: Inventory) -> dict[str, Any]:
    """Return what minutes must name: the site, the moment, the inventory and the tool."""
    from filae_ops.report.review.provenance import provenance

    origin = provenance(inventory.directory, inventory.fingerprint)
    return {
        "site": inventory.site.name, "establishment": inventory.site.establishment,
        "environment": inventory.site.environment, "machines": list(inventory.hosts),
        "at": dt.datetime.now(ZoneInfo(inventory.site.timezone)).isoformat(timespec="seconds"),
        "inventory": {"sha256": origin.sha256, "commit": origin.commit or None, "modified": origin.modified},
        "filae_ops": __version__, "only": None,
    }  # fmt: skip


def _look(inventory: Inventory, host: Host, config: Path, seen_from: Path | None, login: Login) -> dict[str, Any]:
    """Ask one machine, and look at it from elsewhere meanwhile."""
    from filae_ops.verification.seen_from_elsewhere import Elsewhere

    with Elsewhere(inventory, host, seen_from, login) as elsewhere:
        facts = gather.facts(config, host.name, gather.expected_of(inventory, host, elsewhere.address))["facts"]
        return {"facts": facts, "outside": elsewhere.finish(facts)}


def verdicts(rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> tuple[Verdict, ...]:
    """Return typed verdicts; with several machines, ids carry theirs."""
    hosts = {row["host"] for row in rows}
    if not rows:
        raise OpsError("no check ran", next_step=FAULT)
    found = [_verdict(row, with_host=len(hosts) > 1) for row in rows]
    twice = [name for name, times in Counter(each.id for each in found).items() if times > 1]
    if twice:
        raise OpsError(f"two checks have the id {twice[0]!r}", next_step=FAULT)
    return tuple(found)


def _verdict(row: Mapping[str, Any], *, with_host: bool) -> Verdict:
    """Return one verdict: who acts comes from its words, else who answers from the register."""
    made = Verdict(
        id=f"{row['host']}:{row['id']}" if with_host else row["id"], requirement=row["requirement"],
        owner=requirement(row["requirement"]).owner, status=row["status"], code=row["code"], values=row["values"],
        host=row["host"], no_object=row.get("no_object", False), against=tuple(row.get("against", ())),
    )  # fmt: skip
    try:
        acting = made.wording("en").owner
    except WordsError as error:
        return replace(made, owner="provider", status="not_run", code=BROKE, values={"error": str(error)})
    return replace(made, owner=acting or made.owner)
