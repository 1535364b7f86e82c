"""Operators on the machine: ends of support, flows, certificates; and the rows of the responsibility matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.judge.operators import finding, rank
from filae_ops.judge.raci import unowned
from filae_ops.judge.scene import Scene, as_day
from filae_ops.judge.tree import Found
from filae_ops.judge.verdict import Finding
from filae_ops.register.tables import Lifecycle

_PRODUCTS = {"postgres": "postgresql"}


def product(found: Found) -> str:
    """Return the product that a version is of: the system of a machine, or a component of `software`."""
    if not isinstance(found.item, Mapping):
        return ""
    name = str((found.item.get("os") or {}).get("id") or found.item.get("name", "")).casefold()
    return _PRODUCTS.get(name, name)


def supported_at(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The version has its standard support on the day; long-term support alone is a gap, none is refused."""
    name, version = product(found), str(found.value)
    known = scene.calendar(name, version)
    words = {"product": name, "version": version}
    if known is None and (oldest := _ended_before(scene, name, version)):
        words |= {"oldest": oldest.version, "until": oldest.free_until.isoformat()}
        return finding(found, "contrary", "support.older", **words)
    if known is None:
        return finding(found, "unsure", "support.unknown", **words)
    support = known.support(scene.day)
    words["until"] = known.standard_until.isoformat()
    if support == "standard":
        return finding(found, "holds", "support.standard", **words)
    if support == "extended":
        return finding(found, "expired", "support.extended", **words, long_until=known.free_until.isoformat())
    words["until"] = known.free_until.isoformat()
    if bought := _bought(scene, found, known):
        return finding(found, "expired", "support.bought", **words, **bought)
    return finding(found, "contrary", "support.ended", **words)


def _ended_before(scene: Scene, name: str, version: str) -> Lifecycle | None:
    """Return the oldest version with a calendar, when it has ended and `version` is older still."""
    own = re.match(r"[0-9]+(\.[0-9]+)*", version)
    known = sorted(
        ((rank(key[1]) or (), row) for key, row in scene.register.lifecycles.items() if key[0] == name),
        key=lambda each: each[0],
    )
    if not own or not known or known[0][1].free_until >= scene.day:
        return None
    return known[0][1] if (rank(own[0]) or ()) < known[0][0] else None


def _bought(scene: Scene, found: Found, known: Lifecycle) -> dict[str, str]:
    """Return the subscription that is declared and maintains the machine on the day; empty without one."""
    system = found.above[-1][1] if found.above else {}
    contract = system.get("extended_support") if ".os." in found.name else None
    until = as_day(contract.get("until")) if isinstance(contract, Mapping) else None
    sold = any(each.subscription and scene.day <= each.until for each in known.extended)
    if until is None or until < scene.day or not sold:
        return {}
    return {"contract": str(contract.get("name", "")), "long_until": until.isoformat()} if contract else {}


def supported_for_days(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The standard support lasts for so many days more."""
    name, version = product(found), str(found.value)
    known = scene.calendar(name, version)
    words: dict[str, Any] = {"product": name, "version": version}
    if known is None:
        return finding(found, "unsure", "support.unknown", **words)
    left = (known.standard_until - scene.day).days
    words["until"] = known.standard_until.isoformat()
    if left < 0:
        return finding(found, "expired", "support.past", expected, **words, days=-left)
    words["days"] = left
    if left < expected:
        return finding(found, "expired", "support.short", expected, **words)
    return finding(found, "holds", "support.long", expected, **words)


def has_outbound(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """At least one flow goes out of the machine."""
    names = [str(flow.get("id")) for flow in _flows(found, "out")]
    if not names:
        return finding(found, "contrary", "outbound.none")
    return finding(found, "holds", "outbound.listed", names=names)


def outbound_described(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Each flow out of the machine says which data pass and who answers for it."""
    findings = tuple(_undescribed(_flows(found, "out")))
    return findings or finding(found, "holds", "outbound.described")


def _undescribed(flows: Iterator[Mapping[str, Any]]) -> Iterator[Finding]:
    for flow in flows:
        for key in ("data", "owner"):
            if key not in flow:
                yield Finding("missing", "missing", f"flows[{flow.get('id')}].{key}")
            elif not flow[key]:
                yield Finding("contrary", "none", f"flows[{flow.get('id')}].{key}")


def no_inbound_port(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """No flow opens one of these ports to the machine."""
    closed = sorted(int(port) for port in expected)
    open_ = tuple(each for flow in _flows(found, "in") for each in _opened(flow, closed))
    return open_ or finding(found, "holds", "port.closed", closed)


def _opened(flow: Mapping[str, Any], closed: list[int]) -> Iterator[Finding]:
    name, port = f"flows[{flow.get('id')}].port", flow.get("port")
    if not port and flow.get("proto") != "icmp":
        yield Finding("missing", "missing", name)
    for each in (port,) if isinstance(port, int) else port or ():
        if each in closed:
            yield Finding("contrary", "port.open", name, each, closed, {"peer": flow.get("from")})


def _flows(found: Found, direction: str) -> Iterator[Mapping[str, Any]]:
    flows = found.value if isinstance(found.value, list | tuple) else ()
    return (flow for flow in flows if isinstance(flow, Mapping) and flow.get("direction") == direction)


def certificate_days(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """The certificate in this file lasts for so many days more."""
    end, file = scene.certificates.get(str(found.value)), scene.evidence.get(str(found.value))
    if end is None and file and file.problem:
        return ()  # what is wrong with the file is said apart
    if end is None:
        return finding(found, "contrary", "certificate.unreadable", expected)
    left, words = (end - scene.day).days, {"date": end.isoformat()}
    if left < 0:
        return finding(found, "expired", "certificate.expired", expected, **words, days=-left)
    if left < expected:
        return finding(found, "expired", "certificate.short", expected, **words, days=left)
    return finding(found, "holds", "certificate.holds", expected, **words, days=left)


def all_rows_owned(scene: Scene, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Each row of the responsibility matrix has one who is accountable."""
    to_agree, orphans = unowned(scene.rows)
    lost = tuple(Finding("contrary", "row.orphan", f"responsibilities.{row.id}", row.letters) for row in orphans)
    open_ = tuple(Finding("missing", "row.to_agree", f"responsibilities.{row.id}") for row in to_agree)
    return (*lost, *open_) or finding(found, "holds", "row.owned")
