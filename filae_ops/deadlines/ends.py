"""The lines of a diagnosis that come from dates: supports, certificates, keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509

from filae_ops.certificates import check_chain, check_dates, check_names
from filae_ops.errors import OpsError, Owner
from filae_ops.inventory.model.access import Operator
from filae_ops.inventory.model.inventory import Inventory
from filae_ops.register.lookup import lifecycle

SOON = dt.timedelta(days=30)
NEWER = "provider: make the environment again with Python 3.12 or newer, which takes a newer ansible-core"


@dataclass(frozen=True)
class Line:
    """One line: `go`, `warn` (it may go on, someone should act) or `no-go`."""

    id: str
    owner: Owner
    status: Literal["go", "warn", "no-go"]
    message: str
    next: str = ""


def supported(name: str, product: str, number: str, day: dt.date) -> Line:
    """Judge the support of one of the controller's programs: it never forbids, since it can be caught up with."""
    known = lifecycle(product, number)
    if known is None:
        return Line(
            name,
            "provider",
            "warn",
            f"{product} {number}: the register has no calendar for it",
            "complete lifecycles.yml",
        )
    until = f"{known.standard_until:%Y-%m-%d}"
    if day > known.standard_until:
        return Line(name, "provider", "warn", f"{product} {number} is no longer maintained since {until}", NEWER)
    if day > known.standard_until - SOON:
        return Line(name, "provider", "warn", f"{product} {number} is maintained until {until} only", NEWER)
    return Line(name, "provider", "go", f"{product} {number}, maintained until {until}")


def certificate(inventory: Inventory, day: dt.date) -> Iterator[Line]:
    """Judge the hospital's certificate without its key, which needs the vault's password."""
    files = inventory.tls.files
    if inventory.tls.mode != "provided":
        yield Line(
            "certificate", "provider", "go", "the machine makes its own certificate (demonstration and tests only)"
        )
        return
    server, chain, root = (
        _certificates(inventory.directory / str(files[key])) for key in ("certificate", "chain", "root")
    )
    path, name = inventory.directory / str(files["certificate"]), inventory.network.public_name
    at = dt.datetime.combine(day, dt.time(12), dt.UTC)
    try:
        check_dates(server[0], at, path)
        check_names(server[0], [name], path)
        check_chain(server[0], chain, root, name, at, path)
    except OpsError as error:
        yield Line("certificate", error.owner, "no-go", str(error.args[0]), error.next_step)
        return
    end = server[0].not_valid_after_utc.date()
    late = day > end - SOON
    step = "dsi: issue the next certificate; provider: put it in tls/, then filae-ops provision" if late else ""
    yield Line(
        "certificate", "dsi", "warn" if late else "go", f"the certificate covers {name} until {end:%Y-%m-%d}", step
    )


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise OpsError(
            f"{path}: no readable PEM certificate: {error}", owner="dsi", next_step="ask the DSI for it again"
        ) from None


def keys(inventory: Inventory, day: dt.date) -> Iterator[Line]:
    """Judge the ends of the operators', the DSI's and the signers' keys."""
    access, again = inventory.access, "then filae-ops provision"
    ends = _keys_of(access.operators)
    if any(until >= day for _, until in ends):
        yield _ends("operator-keys", "operators' keys", ends, day, "provider", f"a new key in access.yml, {again}")
    else:
        why = "no operator has a key that still works"
        yield Line("operator-keys", "provider", "no-go", why, "provider: a new key in access.yml")
    if people := _keys_of(access.dsi):
        yield _ends("dsi-keys", "the DSI's keys", people, day, "dsi", "send a new public key to the provider")
    signers = [(signer.name, signer.until) for signer in inventory.app.signers]
    yield _ends("release-keys", "release keys", signers, day, "provider", f"the next release key in app.yml, {again}")


def _keys_of(people: tuple[Operator, ...]) -> list[tuple[str, dt.date]]:
    return [(person.name, key.until) for person in people if person.state == "present" for key in person.keys]


def _ends(name: str, what: str, ends: list[tuple[str, dt.date]], day: dt.date, owner: Owner, step: str) -> Line:
    late = [f"{who} ({until:%Y-%m-%d})" for who, until in ends if until <= day + SOON]
    if late:
        return Line(
            name,
            owner,
            "warn",
            f"{what} that end within {SOON.days} days, or have ended: {', '.join(late)}",
            f"{owner}: {step}",
        )
    return Line(name, owner, "go", f"{what}: the first to end does on {min(until for _, until in ends):%Y-%m-%d}")


def system_support(product: str, number: str, day: dt.date) -> Line:
    """Judge the system's support: ended is refused, long-term support alone is a gap."""
    known = lifecycle(product, number)
    if known is None:
        return Line(
            "os-support",
            "dsi",
            "no-go",
            f"{product} {number}: the register knows no support for it",
            "deliver the machine with Debian 13",
        )
    support = known.support(day)
    if support in ("ended", "subscription"):
        message = f"{product} {number}: support ended on {known.free_until:%Y-%m-%d}"
        return Line("os-support", "dsi", "no-go", message, "deliver the machine with Debian 13")
    if support == "extended":
        message = f"{product} {number}: long-term support only, until {known.free_until:%Y-%m-%d}"
        return Line("os-support", "dsi", "warn", message, "plan the upgrade to Debian 13")
    return Line("os-support", "dsi", "go", f"{product} {number} is maintained until {known.standard_until:%Y-%m-%d}")
